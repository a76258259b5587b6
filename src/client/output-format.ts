import { extname } from 'node:path';

/** By the output file's ending: what to ask for, and the content type that such a file holds. */
const endings: { readonly [ending: string]: { readonly format: string; readonly contentType: string } } = {
  '.jpg': { format: 'jpeg', contentType: 'image/jpeg' },
  '.jpeg': { format: 'jpeg', contentType: 'image/jpeg' },
  '.jpe': { format: 'jpeg', contentType: 'image/jpeg' },
  '.jfif': { format: 'jpeg', contentType: 'image/jpeg' },
  '.png': { format: 'png', contentType: 'image/png' },
  '.webp': { format: 'webp', contentType: 'image/webp' },
  '.npy': { format: 'npy', contentType: 'application/x-npy' },
  '.safetensors': { format: 'safetensors', contentType: 'application/vnd.safetensors' },
  '.npz': { format: 'npz', contentType: 'application/x-npz' },
};

const ofPath = (path: string) => endings[extname(path).toLowerCase()];

/** The value of the option `format` that a file's name asks for, if its ending is known. */
export function formatOfPath(path: string): string | undefined {
  return ofPath(path)?.format;
}

/** The endings that choose a format, for a message. */
export const endingsInWords = `${Object.keys(endings).slice(0, -1).join(', ')} or ${Object.keys(endings).at(-1)}`;

/** Whether a file's name has an ending that stands for no format that can be written. */
export function hasUnknownEnding(path: string): boolean {
  return extname(path) !== '' && ofPath(path) === undefined;
}

/** The ending of files that hold a format: `.jpg` for `jpeg`, and `.` and its name for the others. */
export function endingOfFormat(format: string): string {
  return format === 'jpeg' ? '.jpg' : `.${format}`;
}

/** Whether a file's name promises something else than what is to be written to it. */
export function misleads(path: string, contentType: string): boolean {
  const expected = ofPath(path)?.contentType;
  return expected !== undefined && expected !== contentType;
}
