import type { GivenTensor } from './given/given-tensor.ts';

/** How a tensor's axes are read: the position of a value is start + y·rowStep + x·columnStep + channel·channelStep. */
export interface Axes {
  /** The order of the axes, by their letters: `NCHW`, `HWC`. */
  readonly layout: string;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3 | 4;
  readonly rowStep: number;
  readonly columnStep: number;
  readonly channelStep: number;
}

/** The ways to read a tensor as one picture, the most usual first. */
export function readingsOf({ shape }: Pick<GivenTensor, 'shape'>): readonly Axes[] {
  const batched = shape.length === 4 && shape[0] === 1;
  const [first, second, third] = batched ? shape.slice(1) : shape;
  const prefix = batched ? 'N' : '';
  if (first === undefined || second === undefined) return [];
  if (third === undefined) return [rows(`${prefix}HW`, first, second, 1)];
  const readings: Axes[] = [];
  if (isChannels(first)) readings.push(planes(`${prefix}CHW`, first, second, third));
  if (isChannels(third)) readings.push(rows(`${prefix}HWC`, first, second, third));
  return readings;
}

function isChannels(length: number): length is 1 | 3 | 4 {
  return length === 1 || length === 3 || length === 4;
}

function planes(layout: string, channels: 1 | 3 | 4, height: number, width: number): Axes {
  return { layout, width, height, channels, rowStep: width, columnStep: 1, channelStep: width * height };
}

function rows(layout: string, height: number, width: number, channels: 1 | 3 | 4): Axes {
  return { layout, width, height, channels, rowStep: width * channels, columnStep: channels, channelStep: 1 };
}
