import { Failure } from '../../failures.ts';
import type { SourceFormat } from './plan.ts';

/** Bytes that tell every format: an `ftyp` box's brands reach furthest. */
const signatureBytes = 64;

/**
 * Tells an image's format from its first bytes; names and headers lie. What is not in the list (SVG
 * above all, which can read files and fetch URLs) never reaches a decoder.
 *
 * @throws FORMAT_UNSUPPORTED
 */
export function detectFormat(content: Uint8Array): SourceFormat {
  const head = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, signatureBytes));
  const text = head.toString('latin1');
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (text.startsWith('BM') && !isPlainText(text)) return 'bmp';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'tiff';
  if (text.startsWith('II+\0') || text.startsWith('MM\0+')) return 'tiff'; // BigTIFF
  if (text.startsWith('ftyp', 4) && hasAvifBrand(head)) return 'avif';
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `The bytes begin like ${guess(text)}; JPEG, PNG, WebP, AVIF, GIF, TIFF and BMP are read here.`,
    { supported: 'jpeg, png, webp, avif, gif, tiff, bmp' },
  );
}

/** ISO/IEC 14496-12 §4.3: size, "ftyp", major brand, minor version, compatible brands. */
function hasAvifBrand(head: Buffer): boolean {
  const end = Math.min(head.length >= 4 ? head.readUInt32BE(0) : 0, head.length);
  for (let at = 8; at + 4 <= end; at += 4) {
    if (at === 12) continue; // the minor version
    const brand = head.toString('latin1', at, at + 4);
    if (brand === 'avif' || brand === 'avis') return true;
  }
  return false;
}

/** A word for what came instead, so that a person sees the mistake at once. */
function guess(head: string): string {
  const start = head.replace(/^(\xef\xbb\xbf)?\s*/, '').toLowerCase();
  if (start.startsWith('<svg') || start.includes('<svg')) return 'SVG';
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return 'HTML';
  if (start.startsWith('<')) return 'XML or HTML';
  if (start.startsWith('%pdf')) return 'PDF';
  if (start.startsWith('{') || start.startsWith('[')) return 'JSON';
  if (head.startsWith('\0\0\0\x0cjP  ') || head.startsWith('\xff\x4f\xff\x51')) return 'JPEG 2000';
  if (head.startsWith('II\xbc')) return 'JPEG XR';
  if (head.startsWith('ftyp', 4)) return 'an HEIF or MP4 file without an AVIF image';
  if (head.startsWith('\x00\x00\x01\x00')) return 'an icon (ICO)';
  if (isPlainText(head)) return 'plain text';
  return 'none of them';
}

function isPlainText(head: string): boolean {
  return /^[\t\r\n\x20-\x7e]*$/.test(head);
}
