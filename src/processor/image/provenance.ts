import { codecOf } from '../codecs/codecs.ts';
import type { ImageHeader } from '../codecs/header.ts';
import { defaultSource } from './default-source.ts';
import { headerOf, type Plan } from './plan.ts';

/**
 * The version of each numerics: ours, and the library whose pixels are computed. Ours is raised whenever the same
 * request may give other bytes than before. It is part of the cache key, so that a new version never responds with
 * pixels of an old one. Each numerics has its own version, so that a change to one keeps the cached outputs of the
 * others.
 *
 * - Pillow 12.2 and 13.0 each changed for which images the vertical pass runs first.
 * - torch computes these bytes on CPUs only: x86 with AVX2, and ARM.
 * - The versions of the libraries include that of libvips.
 */
export const numericsVersions = {
  pillow: '3+pillow-13.0',
  torch: '2+torch-2.15-cpu',
  opencv: '1+opencv-5.0',
  fast: '5+libvips',
} as const satisfies Readonly<Record<Plan['numerics'], string>>;

/** The decisions about a source and those of the plan, as `subject=decision`, wherever there was a choice. */
export function decisionsOf(header: ImageHeader, plan: Plan, alphaIsKept: boolean): string[] {
  const decisions: string[] = [];
  const isIgnored = headerOf(header, plan) !== header;
  if (header.orientation !== 1) {
    decisions.push(`orientation=${header.orientation} ${isIgnored ? 'ignored' : 'turned upright'}`);
  }
  if (header.exifIsUnreadable && !isIgnored) decisions.push('exif=cannot be read, not turned');
  if (header.hasIccProfile) {
    const isUnused = plan.numerics !== 'fast' || header.format === 'avif';
    decisions.push(`icc=${isUnused ? 'ignored' : 'converted to sRGB'}`);
  }
  if (header.bitDepth === 16) decisions.push('bit_depth=16 to 8 by high byte');
  else if (header.bitDepth > 8) decisions.push(`bit_depth=${header.bitDepth} to 8`);
  if (header.colour === 'cmyk')
    decisions.push(`cmyk=${plan.numerics === 'fast' ? 'profile' : "Pillow's formula"}`);
  if (header.hasAlpha) {
    const laid = typeof plan.alpha === 'string' ? 'dropped' : 'laid on the background';
    decisions.push(`alpha=${alphaIsKept ? 'kept' : laid}`);
  }
  if (
    plan.numerics === 'opencv' &&
    plan.steps.some((step) => step.kind === 'resize' && step.filter === 'bicubic')
  ) {
    decisions.push("interpolation=INTER_CUBIC without Intel's IPP");
  }
  if (header.dropsSample) decisions.push('extra_sample=dropped, it is no alpha');
  return [...decisions, ...partOfSource(header), ...(plan.decisions ?? [])];
}

function partOfSource({ format, frames, source = defaultSource }: ImageHeader): readonly string[] {
  if (codecOf(format).isDocument) return [`page=${source.page} of ${frames}`, `dpi=${source.dpi}`];
  return frames > 1 ? [`frame=first of ${frames}`] : [];
}
