import { extname } from 'node:path';

/** Formats by the ending of an output file, with the content type of such a file. */
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

/** The value of the option `format` for a file's ending, if it is known. */
export function formatOfPath(path: string): string | undefined {
  return ofPath(path)?.format;
}

/** The endings that choose a format, for a message. */
export const endingsInWords = `${Object.keys(endings).slice(0, -1).join(', ')} or ${Object.keys(endings).at(-1)}`;

/** The formats of an ending that several have; none for others. */
export function formatsOfAmbiguous(path: string): readonly string[] {
  return extname(path).toLowerCase() === '.json' ? ['vllm', 'open_inference'] : [];
}

/** Whether a file has an ending of no output format. */
export function hasUnknownEnding(path: string): boolean {
  return extname(path) !== '' && ofPath(path) === undefined;
}

/** The ending for a format: `.jpg` for `jpeg`, else its name. */
export function endingOfFormat(format: string): string {
  return format === 'jpeg' ? '.jpg' : `.${format}`;
}

/** Whether a file's ending is that of another content type. */
export function misleads(path: string, contentType: string): boolean {
  const expected = ofPath(path)?.contentType;
  return expected !== undefined && expected !== contentType;
}
