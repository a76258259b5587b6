import type { ImageHeader } from '../codecs/header.ts';
import type { Plan } from './plan.ts';

/**
 * Our version and the Pillow whose pixels these are: Pillow 12.2 and 13.0 each changed for which images the
 * vertical pass goes first. Ours grows whenever the same request may give other bytes than before. It is part
 * of every cache key, so a new version never answers with an old version's pixels.
 */
export const numericsVersion = '3+pillow-13.0';

/** What was decided about a source where there was a choice, as `subject=decision`. */
export function decisionsOf(header: ImageHeader, plan: Plan, alphaIsKept: boolean): string[] {
  const decisions: string[] = [];
  if (header.orientation !== 1) decisions.push(`orientation=${header.orientation} turned upright`);
  if (header.exifIsUnreadable) decisions.push('exif=cannot be read, not turned');
  if (header.hasIccProfile) {
    const isIgnored = plan.numerics === 'exact' || header.format === 'avif';
    decisions.push(`icc=${isIgnored ? 'ignored' : 'converted to sRGB'}`);
  }
  if (header.bitDepth === 16) decisions.push('bit_depth=16 to 8 by high byte');
  else if (header.bitDepth > 8) decisions.push(`bit_depth=${header.bitDepth} to 8`);
  if (header.colour === 'cmyk')
    decisions.push(`cmyk=${plan.numerics === 'exact' ? "Pillow's formula" : 'profile'}`);
  if (header.hasAlpha) {
    const laid = typeof plan.alpha === 'string' ? 'dropped' : 'laid on the background';
    decisions.push(`alpha=${alphaIsKept ? 'kept' : laid}`);
  }
  if (header.dropsSample) decisions.push('extra_sample=dropped, it is no alpha');
  if (header.frames > 1) decisions.push(`frame=first of ${header.frames}`);
  return decisions;
}
