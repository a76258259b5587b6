import { Failure } from '../../failures.ts';
import type { GivenTensor } from './given/given-tensor.ts';
import type { Words } from './lattice/hypothesis.ts';

/** How a tensor's axes are read: the position of a value is y·rowStep + x·columnStep + channel·channelStep. */
export interface Axes {
  /** The order of the axes, by their letters: `NCHW`, `HWC`. Axes of length 1 before N are `1`. */
  readonly layout: string;
  /** The layout, and the treatment of transparency if the tensor has a channel for it. */
  readonly words: Words;
  readonly width: number;
  readonly height: number;
  /** Four: the last one is alpha. */
  readonly channels: 1 | 3 | 4;
  readonly rowStep: number;
  readonly columnStep: number;
  readonly channelStep: number;
}

/**
 * The ways to read a tensor as one picture, the most usual first; those with the sides exchanged come last. Axes of length
 * 1 may come before the picture's.
 *
 * @returns empty if the tensor is no picture, or several
 */
export function readingsOf({ shape }: Pick<GivenTensor, 'shape'>): readonly Axes[] {
  const outer = Math.max(0, shape.length - 3);
  if (shape.slice(0, outer).some((length) => length !== 1)) return [];
  const prefix = '1'.repeat(Math.max(0, outer - 1)) + (outer > 0 ? 'N' : '');
  const [first, second, third] = shape.slice(outer);
  if (first === undefined || second === undefined) return [];
  if (third === undefined) return bothWays([rows('HW', first, second, 1)]);
  const readings: Axes[] = [];
  if (isChannels(first)) readings.push(planes(`${prefix}CHW`, first, second, third));
  if (isChannels(third)) readings.push(rows(`${prefix}HWC`, first, second, third));
  return bothWays(readings);
}

/** @returns TENSOR_SHAPE_UNEXPLAINED */
export function shapeUnexplained({ shape, datatype }: Pick<GivenTensor, 'shape' | 'datatype'>): Failure {
  const [images = 0, ...picture] = shape;
  const isBatch = images > 1 && picture.length >= 2 && readingsOf({ shape: picture }).length > 0;
  return new Failure(
    'TENSOR_SHAPE_UNEXPLAINED',
    isBatch
      ? `The tensor has the shape ${shape.join(' × ')}, a batch of ${images} images. Send the part of one image: its shape is ${[1, ...picture].join(' × ')}.`
      : `A ${datatype} tensor with the shape ${shape.join(' × ')} is no picture that any known preprocessing makes of this image. Send the tensor of one image.`,
    { actual: shape.join(',') },
  );
}

function isChannels(length: number): length is 1 | 3 | 4 {
  return length === 1 || length === 3 || length === 4;
}

function planes(layout: string, channels: 1 | 3 | 4, height: number, width: number): Axes {
  const channelStep = width * height;
  return { ...named(layout, channels), width, height, channels, rowStep: width, columnStep: 1, channelStep };
}

function rows(layout: string, height: number, width: number, channels: 1 | 3 | 4): Axes {
  const rowStep = width * channels;
  return {
    ...named(layout, channels),
    width,
    height,
    channels,
    rowStep,
    columnStep: channels,
    channelStep: 1,
  };
}

function named(layout: string, channels: number): Pick<Axes, 'layout' | 'words'> {
  return { layout, words: { layout, ...(channels === 4 && { alpha: 'kept as a fourth channel' }) } };
}

/** The readings, and then those whose rows are the picture's columns. */
function bothWays(readings: readonly Axes[]): readonly Axes[] {
  const exchanged = readings.map((axes): Axes => {
    const { layout, channels, width, height, rowStep, columnStep } = axes;
    return {
      ...axes,
      ...named(layout.replace('HW', 'WH'), channels),
      width: height,
      height: width,
      rowStep: columnStep,
      columnStep: rowStep,
    };
  });
  return [...readings, ...exchanged];
}
