// AssemblyScript, compiled to build/kernels.wasm; wasm.ts declares it to the TypeScript around it.
export { horizontal3, horizontal4, vertical } from './passes';
export { horizontal3Narrow, horizontal4Narrow, verticalNarrow } from './passes-narrow';
export {
  addPixels,
  addWeighed,
  cubicRow,
  linearRow,
  quarterSums,
  roundSums,
  scaleSums,
  weighPixels,
  weighTaps,
} from './opencv';
export { pair1, pair3, pair4, quadOfRows, rowsOfQuad } from './layouts';
export { premultiply, unpremultiply } from './alpha';
export { luma } from './luma';
export { patchPlanes } from './planes';
export { filterRows } from './png';

/** Where the memory is free: behind the constants. */
export function freeFrom(): usize {
  return __heap_base;
}
