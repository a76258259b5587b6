import type { GivenName } from '../state/state.ts';

/** The content of another program's file. */
export type GivenKind = 'npy' | 'npz' | 'safetensors' | 'picture' | 'raw';

/** The result of another program for the image. */
export interface Given {
  readonly name: string;
  readonly file: Blob;
  readonly kind: GivenKind;
}

/** The datatypes of raw values, by their names in the Open Inference Protocol. */
export const rawDatatypes = ['FP32', 'FP16', 'BF16', 'FP64', 'UINT8', 'INT32', 'INT64'] as const;

const pictureEnding = /\.(jpe?g|png|webp|gif|bmp|tiff?|avif|hei[cf]|jxl)$/i;
const tensorEnding = /\.(npy|npz|safetensors|bin|raw|dat|pt|pth)$/i;

/** Whether a file is another program's tensor by its name, not an image. */
export function isTensorFile({ name }: File): boolean {
  return tensorEnding.test(name);
}

/** Detects what a file contains, from its first bytes and its name. */
export async function kindOf(file: File): Promise<GivenKind> {
  const start = new Uint8Array(await file.slice(0, 10).arrayBuffer());
  const text = String.fromCharCode(...start);
  if (text.startsWith('\x93NUMPY')) return 'npy';
  if (text.startsWith('PK\x03\x04')) return 'npz';
  // Eight bytes of length, and the JSON object that is that long.
  if (text[8] === '{' && !pictureEnding.test(file.name)) return 'safetensors';
  return file.type.startsWith('image/') || pictureEnding.test(file.name) ? 'picture' : 'raw';
}

/** The other program's files of this page by their names, for as long as the page is open. */
export function createGivenFiles() {
  const kept = new Map<string, File>();
  return {
    keep(file: File): GivenName {
      kept.set(file.name, file);
      return { kind: 'upload', name: file.name };
    },
    /** @returns undefined for a file of an earlier visit: its bytes are no longer here */
    async open(name: string): Promise<Given | undefined> {
      const file = kept.get(name);
      return file && { name, file, kind: await kindOf(file) };
    },
  };
}

/** The lengths in a text such as `1,3,224,224`, `1 × 3 × 224 × 224` or `(1, 3, 224, 224)`. */
export function shapeIn(text: string): readonly number[] {
  return (text.match(/\d+/g) ?? []).map(Number);
}
