import type { ProcessorType } from '../processor-types.ts';
import { anyResolutionTypes } from './any-resolution-types.ts';
import { sliceTypes } from './slice-types.ts';
import { splitTypes } from './split-types.ts';
import { tileGridTypes } from './tile-grid-types.ts';
import { tiledCanvasTypes } from './tiled-canvas-types.ts';
import { twoTensorTypes } from './two-tensor-types.ts';

/** Image processors of transformers that make several pictures of an image, by the name of their class. */
export const tileTypes: Readonly<Record<string, ProcessorType>> = {
  ...anyResolutionTypes,
  ...tileGridTypes,
  ...tiledCanvasTypes,
  ...sliceTypes,
  ...splitTypes,
  ...twoTensorTypes,
};
