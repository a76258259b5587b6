import { Failure } from '../../../failures.ts';
import { checkFits } from '../pad-to.ts';
import type { Pixels } from '../pixels.ts';
import type { Layout } from '../plan.ts';
import type { ChannelTable, Values } from '../value-table.ts';
import { sizeInWords } from '../words.ts';
import type { ArrangementKind } from './arrangement.ts';
import { type Canvas, canvasInWords, canvasOf } from './canvas.ts';

/** Pictures of one size, one after another: [pictures, channels, height, width] or [pictures, height, width, channels]. */
export interface ImagesArrangement {
  readonly kind: 'images';
  /** Axes of length 1 before those of the pictures. Unset: none. */
  readonly leadingAxes?: number | undefined;
  /** Length of the pictures' axis: all-zero pictures follow the others. Unset: that of the pictures. */
  readonly count?: number | undefined;
  /** Size that each picture has in the tensor; the rest is 0. Unset: the pictures have one size. */
  readonly canvas?: Canvas | undefined;
  /** Whether a picture is in the centre of its canvas, rounded down. Unset: at its top left. */
  readonly isCentred?: boolean | undefined;
  /** Whether a batch pads its images to one shape. Unset: they have to have it. */
  readonly isPadded?: boolean | undefined;
}

export const images: ArrangementKind<ImagesArrangement> = {
  inWords({ leadingAxes = 0, count, canvas, isPadded }, layout) {
    const axes = layout === 'NCHW' ? ['channels', 'height', 'width'] : ['height', 'width', 'channels'];
    const all = [...new Array<string>(leadingAxes).fill('1'), count ?? 'pictures', ...axes];
    const size = canvas && canvasInWords(canvas);
    return [
      `[${all.join(', ')}]`,
      ...(size === undefined ? [] : [`zeros at the right and bottom up to ${size}`]),
      ...(isPadded ? ['a batch padded with zeros to one shape'] : []),
    ].join(', ');
  },
  shape({ leadingAxes = 0, count, canvas }, pictures, channels, layout) {
    const { width, height } = canvasOf(canvas, pictures);
    const axes = layout === 'NCHW' ? [channels, height, width] : [height, width, channels];
    return [...new Array(leadingAxes).fill(1), count ?? pictures.length, ...axes];
  },
  write({ canvas, isCentred }, pictures, channels, layout, values) {
    const { width, height } = canvasOf(canvas, pictures);
    for (const [index, picture] of pictures.entries()) {
      const length = width * height * channels.length;
      const part = values.subarray(index * length, (index + 1) * length);
      const left = isCentred ? Math.floor((width - picture.width) / 2) : 0;
      const top = isCentred ? Math.floor((height - picture.height) / 2) : 0;
      writePicture(picture, { width, start: top * width + left }, channels, layout, part);
    }
  },
  check({ canvas }, pictures) {
    if (typeof canvas === 'object' && 'width' in canvas) {
      for (const picture of pictures) checkFits(picture, canvas);
    }
    const [first] = pictures;
    const other = pictures.find(({ width, height }) => width !== first?.width || height !== first.height);
    if (canvas !== undefined || first === undefined || other === undefined) return;
    throw new Failure(
      'PRESET_UNSUPPORTED',
      `The preset makes pictures of ${sizeInWords(first)} and of ${sizeInWords(other)} pixels of this image, which are not one tensor. Make them equal by its sizes, or let it pad.`,
      { expected: sizeInWords(first), actual: sizeInWords(other) },
    );
  },
  batchRule: ({ isPadded }) => (isPadded ? 'pad' : 'concatenate'),
};

/** @param canvas - its width, and the position of the picture's first pixel, in pixels */
function writePicture(
  { data, width, height, channels: samples }: Pixels,
  canvas: { readonly width: number; readonly start: number },
  channels: readonly ChannelTable[],
  layout: Layout,
  values: Values,
): void {
  const plane = values.length / channels.length;
  for (const [channel, { sample, table }] of channels.entries()) {
    const [offset, step] = layout === 'NCHW' ? [channel * plane, 1] : [channel, channels.length];
    const start = offset + canvas.start * step;
    // Rows without a gap are one long row.
    const [rows, columns] = canvas.width === width ? [1, width * height] : [height, width];
    for (let row = 0; row < rows; row++) {
      const from = row * columns * samples + sample;
      const end = from + columns * samples;
      for (
        let pixel = from, at = start + row * canvas.width * step;
        pixel < end;
        pixel += samples, at += step
      ) {
        values[at] = table[data[pixel] as number] as number;
      }
    }
  }
}
