import { Failure } from '../../failures.ts';
import { brandsOf } from './brands.ts';
import { codecOf, defaultFormats, sourceFormats } from './codecs.ts';
import { isPlainText } from './plain-text.ts';
import type { SourceFormat } from './source-format.ts';

/**
 * Bytes that identify every format: DICOM's magic is at 128, an `ftyp` box may list many brands, and a PDF's header may
 * follow up to a kilobyte of other bytes.
 */
const signatureBytes = 1024;

/** The bytes that identify a format, and the same as text. */
function headOf(content: Uint8Array): { readonly bytes: Buffer; readonly text: string } {
  const bytes = Buffer.from(content.buffer, content.byteOffset, Math.min(content.length, signatureBytes));
  return { bytes, text: bytes.toString('latin1') };
}

/** The format of an image, enabled or not; undefined for none that is known. */
export function findFormat(content: Uint8Array): SourceFormat | undefined {
  const head = headOf(content);
  return sourceFormats.find((name) => codecOf(name).detect(head));
}

/**
 * Detects an image's format from its first bytes, since names and headers may be wrong. A format that is not in the
 * list never reaches a decoder. The most important is SVG, which can read files and fetch URLs.
 *
 * @param read - the formats that are enabled
 * @throws FORMAT_UNSUPPORTED
 */
export function detectFormat(
  content: Uint8Array,
  read: readonly SourceFormat[] = defaultFormats,
): SourceFormat {
  const format = findFormat(content);
  if (format !== undefined && read.includes(format)) return format;
  const supported = `${listOf(read.map((name) => codecOf(name).name))} ${read.length === 1 ? 'is' : 'are'} supported.`;
  if (format !== undefined) {
    throw new Failure(
      'FORMAT_UNSUPPORTED',
      `The image is ${codecOf(format).name}; ${supported} ${adviceFor(format)}`,
      { format, supported: read.join(', ') },
    );
  }
  const { name, advice } = guess(headOf(content));
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `The bytes begin like ${name}; ${supported}${advice === undefined ? '' : ` ${advice}`}`,
    { supported: read.join(', ') },
  );
}

/** Advice for a caller whose image is of a format that is not enabled. */
function adviceFor(format: SourceFormat): string {
  const { advice, peer } = codecOf(format);
  const needs = peer === undefined ? '' : `, which needs the package ${peer.package}`;
  return [
    `Convert it first, or have ${format} added to SOURCE_FORMATS${needs}.`,
    ...(advice === undefined ? [] : [advice]),
  ].join(' ');
}

function listOf(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(words);
}

interface Guess {
  readonly name: string;
  /** Advice for the caller. */
  readonly advice?: string;
}

const toJpeg = 'Convert it to JPEG or PNG first.';

/** Signatures of images and of documents with images: bytes at an offset. */
const signatures: readonly (readonly [name: string, at: number, ...bytes: readonly string[]])[] = [
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

/** Names the kind of bytes that came instead of an image, so that the caller sees the mistake. */
function guess({ bytes, text }: ReturnType<typeof headOf>): Guess {
  const start = text.replace(/^(\xef\xbb\xbf)?\s*/, '').toLowerCase();
  if (start.startsWith('<svg') || start.includes('<svg')) return { name: 'SVG' };
  if (start.startsWith('<!doctype html') || start.startsWith('<html')) return { name: 'HTML' };
  if (start.startsWith('<')) return { name: 'XML or HTML' };
  if (start.startsWith('{') || start.startsWith('[')) return { name: 'JSON' };
  if (brandsOf(bytes).includes('crx ')) return { name: 'a Canon raw image (CR3)', advice: toJpeg };
  if (text.startsWith('ftyp', 4)) return { name: 'an HEIF or MP4 file without an AVIF image' };
  const found = signatures.find(([, at, ...options]) =>
    options.some((option) => text.startsWith(option, at)),
  );
  if (found !== undefined) return { name: found[0], advice: toJpeg };
  if (/^P[1-7][\s#]/.test(text)) return { name: 'a Netpbm image (PBM, PGM, PPM)', advice: toJpeg };
  return { name: isPlainText(text) ? 'plain text' : 'none of them' };
}
