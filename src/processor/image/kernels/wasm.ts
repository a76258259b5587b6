import { readFileSync } from 'node:fs';
import { pathOf } from '../../../programs.ts';

/** The part of the platform's WebAssembly in use. TypeScript declares it only in the DOM's library. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

/** The exports of assembly/kernels.ts, which documents their arguments. */
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
  horizontal3Narrow(
    source: number,
    table: number,
    pairs: number,
    out: number,
    columns: number,
    fractionBits: number,
  ): void;
  horizontal4Narrow(
    source: number,
    table: number,
    pairs: number,
    out: number,
    columns: number,
    grayStride: number,
    fractionBits: number,
  ): void;
  verticalNarrow(
    first: number,
    ring: number,
    ringEnd: number,
    stride: number,
    table: number,
    quads: number,
    out: number,
    values: number,
    fractionBits: number,
  ): void;
  weighTaps(source: number, table: number, out: number, columns: number, channels: number): void;
  linearRow(
    upper: number,
    lower: number,
    upperWeight: number,
    lowerWeight: number,
    out: number,
    values: number,
  ): void;
  cubicRow(
    row0: number,
    row1: number,
    row2: number,
    row3: number,
    weight0: number,
    weight1: number,
    weight2: number,
    weight3: number,
    out: number,
    values: number,
    floats: number,
  ): void;
  addPixels(source: number, sums: number, columns: number, channels: number, factor: number): void;
  quarterSums(sums: number, out: number, columns: number, channels: number): void;
  scaleSums(sums: number, out: number, columns: number, channels: number, scale: number): void;
  weighPixels(source: number, table: number, out: number, columns: number, channels: number): void;
  addWeighed(row: number, sums: number, columns: number, weight: number): void;
  roundSums(sums: number, out: number, columns: number, channels: number): void;
  quadOfRows(rows: number, stride: number, out: number, bytes: number): void;
  rowsOfQuad(quad: number, out: number, stride: number, bytes: number): void;
  premultiply(rgba: number, bytes: number): void;
  unpremultiply(rgba: number, pixels: number): void;
  luma(rgb: number, out: number, pixels: number): void;
  patchPlanes(
    source: number,
    stride: number,
    out: number,
    side: number,
    count: number,
    repeats: number,
    sample: number,
  ): void;
  filterRows(above: number, rows: number, out: number, count: number, bytes: number, step: number): void;
}

/** Working memory for one job. Parts are reserved but not freed; all of it is reused after the job. */
export interface Arena {
  readonly kernels: Kernels;
  /** All of the memory, by address. This view and all others are invalid after the next `take`. */
  readonly memory: Uint8Array;
  /**
   * Reserves memory with arbitrary contents, and a little after it, because kernels may read and write beyond the end
   * of their arguments.
   *
   * @returns its address, a multiple of 64
   */
  take(bytes: number): number;
}

const pageBytes = 2 ** 16;

/** Memory that has grown beyond this is released after its job; most jobs take a megabyte or two. */
const keptBytes = 2 ** 26;

/** Kernels process whole vectors; the widest ones process 8 pairs of columns at once. */
const slackBytes = 256;

const module = new WebAssembly.Module(readFileSync(pathOf('build/kernels.wasm')));

let kept: Kernels | undefined;

/** Runs a synchronous job on the kernels. */
export function useKernels(job: (arena: Arena) => void): void {
  kept ??= new WebAssembly.Instance(module).exports as Kernels;
  const kernels = kept;
  try {
    job(arenaOf(kernels));
  } finally {
    if (kernels.memory.buffer.byteLength > keptBytes) kept = undefined;
  }
}

/** Gives the memory of the kernels back to the system. The next job makes an instance of its own. */
export function releaseKernels(): void {
  kept = undefined;
}

function arenaOf(kernels: Kernels): Arena {
  let free = kernels.freeFrom();
  let memory = new Uint8Array(kernels.memory.buffer);
  return {
    kernels,
    get memory() {
      return memory;
    },
    take(bytes) {
      const address = Math.ceil(free / 64) * 64;
      free = address + bytes + slackBytes;
      const missing = free - memory.byteLength;
      if (missing > 0) {
        kernels.memory.grow(Math.ceil(missing / pageBytes));
        memory = new Uint8Array(kernels.memory.buffer);
      }
      return address;
    },
  };
}
