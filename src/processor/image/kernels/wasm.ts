import { readFileSync } from 'node:fs';
import { Failure } from '../../../failures.ts';

/** What is used of the platform's WebAssembly: TypeScript knows it with the DOM's library alone. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** What assembly/kernels.ts exports; it says what the arguments mean. */
export interface Kernels {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  freeFrom(): number;
  pair1(rows: number, stride: number, out: number, pairs: number): void;
  pair3(rows: number, stride: number, out: number, pairs: number): void;
  pair4(rows: number, stride: number, out: number, pairs: number): void;
  horizontal3(source: number, table: number, pairs: number, out: number, columns: number): void;
  horizontal4(
    source: number,
    table: number,
    pairs: number,
    out: number,
    columns: number,
    grayStride: number,
  ): void;
  vertical(
    first: number,
    ring: number,
    ringEnd: number,
    stride: number,
    table: number,
    quads: number,
    out: number,
    values: number,
  ): void;
  premultiply(rgba: number, pixels: number): void;
  unpremultiply(rgba: number, pixels: number): void;
  luma(rgb: number, out: number, pixels: number): void;
}

const pageBytes = 2 ** 16;

/** --maximumMemory of the build. A picture of a sane shape takes a megabyte or two. */
const maxBytes = 2 ** 30;

/** Memory that has grown beyond this is given back after its picture. */
const keptBytes = 2 ** 26;

/** From src/ it is in build/, from dist/src/ in dist/build/. */
const module = new WebAssembly.Module(
  readFileSync(new URL('../../../../build/kernels.wasm', import.meta.url)),
);

let kept: Kernels | undefined = instantiate();

/** Below this address are the kernels' constants. */
export const arenaStart = Math.ceil(kept.freeFrom() / 64) * 64;

/**
 * Runs a synchronous job on the kernels with memory up to the address `end`. What lies there is left over from
 * earlier jobs, and views on it must not outlive the job.
 */
export function withKernels(end: number, job: (kernels: Kernels, memory: Uint8Array) => void): void {
  if (end > maxBytes) {
    throw new Failure(
      'OUTPUT_PIXELS_OVER_LIMIT',
      `Resampling between these shapes takes ${end} bytes of working memory; the limit is ${maxBytes}. Ask for a shape nearer to the image's own.`,
      { limit: maxBytes, actual: end },
    );
  }
  kept ??= instantiate();
  const kernels = kept;
  const missing = end - kernels.memory.buffer.byteLength;
  if (missing > 0) kernels.memory.grow(Math.ceil(missing / pageBytes));
  try {
    job(kernels, new Uint8Array(kernels.memory.buffer));
  } finally {
    if (kernels.memory.buffer.byteLength > keptBytes) kept = undefined;
  }
}

function instantiate(): Kernels {
  return new WebAssembly.Instance(module).exports as Kernels;
}
