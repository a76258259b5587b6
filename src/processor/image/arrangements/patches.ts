import type { Size } from '../shortest-edge.ts';
import type { ArrangementKind } from './arrangement.ts';

/**
 * One picture as rows of square patches, as Qwen2VLImageProcessor of transformers arranges it
 * (image_processing_qwen2_vl.py): [patches, channels × repeats × size × size].
 *
 * The model merges groups of `merge` × `merge` patches, so the patches of a group follow each other, row by row, and so
 * do the groups. A patch contains a channel `repeats` times, because the model's patches extend over as many frames
 * of a video.
 */
export interface PatchesArrangement {
  readonly kind: 'patches';
  /** Side of a patch, in pixels. */
  readonly size: number;
  /** Side of a group, in patches. The picture's sides are multiples of size × merge. */
  readonly merge: number;
  readonly repeats: number;
}

export const patches: ArrangementKind<PatchesArrangement> = {
  inWords: ({ size, merge, repeats }) =>
    `[patches, channels × ${repeats} × ${size} × ${size}], in groups of ${merge} × ${merge} patches`,
  shape({ size, repeats }, [picture], channels) {
    const { width, height } = picture as Size;
    return [(width / size) * (height / size), channels * repeats * size * size];
  },
  write({ size, merge, repeats }, [picture], channels, _, values) {
    if (picture === undefined) return;
    const { data, width, height, channels: samples } = picture;
    const group = size * merge;
    let at = 0;
    const writePatch = (left: number, top: number): void => {
      for (const { sample, table } of channels) {
        const start = at;
        for (let y = 0; y < size; y++) {
          let pixel = ((top + y) * width + left) * samples + sample;
          for (let x = 0; x < size; x++, pixel += samples) {
            values[at++] = table[data[pixel] as number] as number;
          }
        }
        const end = at;
        for (let repeat = 1; repeat < repeats; repeat++, at += end - start) {
          values.copyWithin(at, start, end);
        }
      }
    };
    for (let groupTop = 0; groupTop < height; groupTop += group) {
      for (let groupLeft = 0; groupLeft < width; groupLeft += group) {
        for (let top = groupTop; top < groupTop + group; top += size) {
          for (let left = groupLeft; left < groupLeft + group; left += size) writePatch(left, top);
        }
      }
    }
  },
  batchRule: () => 'concatenate',
};
