import type { KernelName } from './kernels/kernels.ts';
import type { FilterName } from './kernels/weights.ts';
import type { Colour } from './pixels.ts';
import type { Edges, Size } from './shortest-edge.ts';

/*
 * The words for the values of plans. Each kind of step, view, arrangement and extra tensor describes itself with them; see
 * presets/steps-in-words.ts.
 */

/** `640 × 480`. */
export function sizeInWords({ width, height }: Size): string {
  return `${width} × ${height}`;
}

/** The lengths of the edges, as words that follow "resize". */
export function edgesInWords(edges: Edges): string {
  if ('width' in edges) return `to ${sizeInWords(edges)}`;
  if ('maxWidth' in edges) return `to fit into ${edges.maxWidth} × ${edges.maxHeight}`;
  const { shortestEdge, longestEdge } = edges;
  const limit = longestEdge === undefined ? '' : `, the longer one to at most ${longestEdge}`;
  return `the shorter side to ${shortestEdge}${limit}`;
}

/** The filter of a resize and the library that computes it: `bicubic, torch`. */
export function kernelInWords({
  filter,
  library,
}: {
  readonly filter: FilterName;
  readonly library?: KernelName | undefined;
}): string {
  return `${filter}, ${libraryWords[library ?? 'pillow']}`;
}

const libraryWords: Readonly<Record<KernelName | 'pillow', string>> = {
  pillow: 'Pillow',
  torch: 'torch',
  plainTorch: 'torch without antialiasing',
  torchLinear: 'torch without antialiasing, as floats',
  opencv: 'OpenCV',
};

/** A colour; unset is black, as in pictures without alpha. */
export function colourInWords(colour: Colour | undefined): string {
  const names: Readonly<Record<string, string>> = { '0,0,0': 'black', '255,255,255': 'white' };
  const values = (colour ?? [0, 0, 0]).join();
  return names[values] ?? `RGB ${values}`;
}
