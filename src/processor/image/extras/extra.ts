import type { DatatypeName } from '../../../datatypes.ts';
import type { BatchRule } from '../arrangements/arrangement.ts';
import type { Size } from '../shortest-edge.ts';

/** The sizes from which a tensor beside the pixels is computed. All are known from the header. */
export interface PictureSizes {
  /** The source after EXIF orientation, in pixels. */
  readonly source: Size;
  /** The processed picture before it is cut into tiles or patches. */
  readonly picture: Size;
  /** The pictures of the tensor of pixels, in their order. */
  readonly pictures: readonly Size[];
  /** The same pictures without the bars that a last step pads. */
  readonly contents: readonly Size[];
}

/** A kind of tensor beside the pixels: one file in this folder and one row in extras.ts. */
export interface ExtraKind<E> {
  /** The contents of the tensor, as a noun phrase. */
  inWords(extra: E): string;
  datatype(extra: E): DatatypeName;
  batchRule(extra: E): BatchRule;
  shape(extra: E, sizes: PictureSizes): readonly number[];
  /** The values in C order. Those of INT64 are safe integers. */
  values(extra: E, sizes: PictureSizes): Iterable<number>;
}
