import { Failure } from '../../failures.ts';
import { type SourceFormat, sourceFormats } from '../image/plan.ts';

/** Bytes that tell every format: DICOM's word begins at 128, and an `ftyp` box may list many brands. */
const signatureBytes = 256;

/** How a format is named to people. */
const names: { readonly [Format in SourceFormat]: string } = {
  jpeg: 'JPEG',
  png: 'PNG',
  webp: 'WebP',
  avif: 'AVIF',
  gif: 'GIF',
  tiff: 'TIFF',
  bmp: 'BMP',
};

/**
 * Tells an image's format from its first bytes; names and headers lie. What is not in the list (SVG
 * above all, which can read files and fetch URLs) never reaches a decoder.
 *
 * @param read - the formats that are read, of all that can be
 * @throws FORMAT_UNSUPPORTED
 */
export function detectFormat(
  content: Uint8Array,
  read: readonly SourceFormat[] = sourceFormats,
): SourceFormat {
  const head = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, signatureBytes));
  const text = head.toString('latin1');
  const format = formatOf(head, text);
  if (format !== undefined && read.includes(format)) return format;
  const supported = `${listOf(read.map((name) => names[name]))} ${read.length === 1 ? 'is' : 'are'} read here.`;
  if (format !== undefined) {
    throw new Failure(
      'FORMAT_UNSUPPORTED',
      `This is a ${names[format]}, and ${supported} Convert it first, or have ${format} added to SOURCE_FORMATS.`,
      { format, supported: read.join(', ') },
    );
  }
  const { name, advice } = guess(head, text);
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `The bytes begin like ${name}; ${supported}${advice === undefined ? '' : ` ${advice}`}`,
    { supported: read.join(', ') },
  );
}

function listOf(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(words);
}

function formatOf(head: Buffer, text: string): SourceFormat | undefined {
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (text.startsWith('BM') && !isPlainText(text)) return 'bmp';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  // Canon's raw files are TIFFs of which only a preview is an image.
  const isTiff = text.startsWith('II*\0') || text.startsWith('MM\0*');
  if (isTiff && !text.startsWith('CR', 8)) return 'tiff';
  if (text.startsWith('II+\0') || text.startsWith('MM\0+')) return 'tiff'; // BigTIFF
  return brandsOf(head).some((brand) => brand === 'avif' || brand === 'avis') ? 'avif' : undefined;
}

/** ISO/IEC 14496-12 §4.3: size, "ftyp", major brand, minor version, compatible brands. */
function brandsOf(head: Buffer): string[] {
  if (head.toString('latin1', 4, 8) !== 'ftyp') return [];
  const end = Math.min(head.readUInt32BE(0), head.length);
  const brands: string[] = [];
  for (let at = 8; at + 4 <= end; at += 4) {
    if (at !== 12) brands.push(head.toString('latin1', at, at + 4));
  }
  return brands;
}

interface Guess {
  readonly name: string;
  /** What the caller can do. */
  readonly advice?: string;
}

const toJpeg = 'Convert it to JPEG or PNG first.';

/** Images, and documents with images, by the bytes at a place. */
const signatures: readonly (readonly [name: string, at: number, ...bytes: readonly string[]])[] = [
  ['JPEG XL', 0, '\xff\x0a', '\0\0\0\x0cJXL '],
  ['JPEG 2000', 0, '\0\0\0\x0cjP  ', '\xff\x4f\xff\x51'],
  ['JPEG XR', 0, 'II\xbc'],
  ['a Canon raw image (CR2)', 8, 'CR\x02\0'],
  ['a camera’s raw image', 0, 'IIRO', 'IIRS', 'MMOR', 'IIU\0', 'FUJIFILMCCD-RAW', 'FOVb'],
  ['a Photoshop document (PSD)', 0, '8BPS'],
  ['an icon (ICO)', 0, '\0\0\x01\0'],
  ['a cursor (CUR)', 0, '\0\0\x02\0'],
  ['an icon (ICNS)', 0, 'icns'],
  ['QOI', 0, 'qoif'],
  ['a DirectDraw surface (DDS)', 0, 'DDS '],
  ['OpenEXR', 0, '\x76\x2f\x31\x01'],
  ['Radiance HDR', 0, '#?RADIANCE', '#?RGBE'],
  ['PostScript (EPS)', 0, '%!PS', '\xc5\xd0\xd3\xc6'],
  ['PCX', 0, '\x0a\x05\x01'],
  ['SGI', 0, '\x01\xda\0', '\x01\xda\x01'],
  ['FITS', 0, 'SIMPLE  ='],
  ['DICOM', 128, 'DICM'],
];

/** A word for what came instead, so that a person sees the mistake at once. */
function guess(head: Buffer, text: string): Guess {
  const start = text.replace(/^(\xef\xbb\xbf)?\s*/, '').toLowerCase();
  if (start.startsWith('<svg') || start.includes('<svg')) return { name: 'SVG' };
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return { name: 'HTML' };
  if (start.startsWith('<')) return { name: 'XML or HTML' };
  if (start.startsWith('%pdf')) return { name: 'PDF' };
  if (start.startsWith('{') || start.startsWith('[')) return { name: 'JSON' };
  const brands = brandsOf(head);
  if (brands.some((brand) => /^(he[iv][cxms])$/.test(brand))) {
    return {
      name: 'HEIC',
      advice: `${toJpeg} An iPhone sends JPEG by itself where it is set to “Most Compatible”.`,
    };
  }
  if (brands.includes('crx ')) return { name: 'a Canon raw image (CR3)', advice: toJpeg };
  if (text.startsWith('ftyp', 4)) return { name: 'an HEIF or MP4 file without an AVIF image' };
  const found = signatures.find(([, at, ...options]) => options.some((bytes) => text.startsWith(bytes, at)));
  if (found !== undefined) return { name: found[0], advice: toJpeg };
  if (/^P[1-7][\s#]/.test(text)) return { name: 'a Netpbm image (PBM, PGM, PPM)', advice: toJpeg };
  return { name: isPlainText(text) ? 'plain text' : 'none of them' };
}

function isPlainText(head: string): boolean {
  return /^[\t\r\n\x20-\x7e]*$/.test(head);
}
