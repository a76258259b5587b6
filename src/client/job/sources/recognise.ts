import { isUtf8 } from 'node:buffer';
import { extname } from 'node:path';
import { openFile } from './source-file.ts';

/** Endings of images and documents. Such a file belongs to the job, regardless of its bytes. */
const imageEndings = /\.(jpe?g|jpe|jfif|png|webp|avif|gif|tiff?|bmp|pdf)$/i;

/** Endings of raw camera images. Their first bytes are TIFF's, but the TIFF image is only a small preview. */
const cameraEndings =
  /\.(3fr|arw|cr2|dcr|dng|erf|iiq|k25|kdc|mef|mos|mrw|nef|nrw|orf|pef|raf|raw|rw2|sr2|srf|srw)$/i;

/** How many bytes of a file are read to recognise it. */
const headBytes = 1024;

/** Whether a file has the ending of an image. */
export function hasImageEnding(path: string): boolean {
  return imageEndings.test(path);
}

/** The result of looking at a file's first bytes. */
export type Recognised =
  | { readonly format: string }
  /** A description of a file that is not an image. */
  | { readonly kind: string };

/**
 * Recognises a file without an image's ending by its first bytes.
 *
 * @throws the system's error if it cannot be read
 */
export async function recognise(path: string): Promise<Recognised> {
  if (cameraEndings.test(path)) return { kind: 'raw picture of a camera' };
  await using file = await openFile(path);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  const head = buffer.subarray(0, bytesRead);
  const format = formatOf(head);
  return format === undefined ? { kind: kindOf(head, path) } : { format };
}

/** The image format of the first bytes, named as in image.v1.ImageFormat if it is there. */
function formatOf(head: Buffer): string | undefined {
  const text = head.toString('latin1', 0, 64);
  const byStart = signatures.find(([, signature]) => signature.test(text));
  return byStart?.[0];
}

const signatures: readonly (readonly [format: string, signature: RegExp])[] = [
  ['jpeg', /^\xff\xd8\xff/],
  ['png', /^\x89PNG\r\n/],
  ['gif', /^GIF8[79]a/],
  ['webp', /^RIFF.{4}WEBP/s],
  // Classic and BigTIFF, in both byte orders.
  ['tiff', /^(?:II[*+]\0|MM\0[*+])/],
  // Two reserved fields of zeros, and the length of one of the known headers.
  ['bmp', /^BM.{4}\0{4}.{4}[\f(48@l|]\0\0\0/s],
  // The major brand, or one of the compatible ones.
  ['avif', /^\0\0..ftyp(?:.{4})*avi[fs]/s],
  ['heic', /^\0\0..ftyp(?:.{4})*(?:hei[cxms]|hev[cx]|mif1|msf1)/s],
  ['pdf', /^%PDF-/],
  ['jxl', /^(?:\xff\n|\0\0\0\fJXL \r\n\x87\n)/],
  ['jpeg2000', /^(?:\0\0\0\fjP {2}\r\n\x87\n|\xff\x4f\xff\x51)/],
];

function kindOf(head: Buffer, path: string): string {
  if (head.length === 0) return 'empty file';
  if (isText(head)) return 'text';
  const ending = extname(path).toLowerCase();
  return /^\.\w{1,12}$/.test(ending) ? ending : 'unknown';
}

/** Whether bytes are text: UTF-8 without control characters, or UTF-16 with a byte order mark. */
function isText(head: Buffer): boolean {
  if (/^(?:\xff\xfe|\xfe\xff)/.test(head.toString('latin1', 0, 2))) return true;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: text does not contain these
  if (/[\0-\x08\x0e-\x1a\x1c-\x1f]/.test(head.toString('latin1'))) return false;
  // The last character may be cut off.
  return [0, 1, 2, 3].some((cut) => cut < head.length && isUtf8(head.subarray(0, head.length - cut)));
}
