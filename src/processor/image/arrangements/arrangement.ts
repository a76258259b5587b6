import type { Pixels } from '../pixels.ts';
import type { Layout } from '../plan.ts';
import type { Size } from '../shortest-edge.ts';
import type { ChannelTable, Values } from '../value-table.ts';

/**
 * How a batch joins the tensors of its images along the first axis, if nothing else is stated.
 *
 * - `concatenate`: all other axes have to be equal.
 * - `concatenateSome`: the same of the images that have the tensor; the batch has it if one of them does.
 * - `concatenateLast`: along the last axis instead; all others have to be equal.
 * - `pad`: zeros at the end of the other axes make them equal.
 * - `padWithOnes`: ones do, in a tensor of FP32.
 * - `largest`: the tensors are numbers of INT64 without axes, and so is the result, the largest of them.
 */
export type BatchRule =
  | 'concatenate'
  | 'concatenateSome'
  | 'concatenateLast'
  | 'pad'
  | 'padWithOnes'
  | 'largest';

/** A kind of arrangement: one file in this folder and one row in arrangements.ts. */
export interface ArrangementKind<A> {
  /** The contents of the tensor, as a noun phrase. */
  inWords(arrangement: A, layout: Layout): string;
  /**
   * The shape of the tensor.
   *
   * @param pictures - their sizes, in their order
   * @param channels - of each picture
   */
  shape(arrangement: A, pictures: readonly Size[], channels: number, layout: Layout): readonly number[];
  /**
   * Writes the value of every pixel to its position.
   *
   * @param pictures - [height, width, 1 | 3] uint8 each
   * @param channels - of the tensor, in their order
   * @param values - of the shape above, all 0
   */
  write(
    arrangement: A,
    pictures: readonly Pixels[],
    channels: readonly ChannelTable[],
    layout: Layout,
    values: Values,
  ): void;
  /**
   * The cost of `write` besides a pass over the tensor's values: memory in bytes, time in nanoseconds of CPU.
   *
   * @param pictures - their sizes, in their order
   * @param channels - of the tensor
   */
  price?(
    arrangement: A,
    pictures: readonly Size[],
    channels: number,
  ): { readonly bytes: number; readonly time: number };
  batchRule(arrangement: A): BatchRule;
  /** Whether it computes values from others, in FP32. `write` then gets FP32 tables and values. */
  readonly computesFloats?: true;
  /** @throws Failure IMAGE_SIZE_INDIVISIBLE, PADDED_SIZE_EXCEEDED if the library refuses pictures of these sizes */
  check?(arrangement: A, pictures: readonly Size[]): void;
}
