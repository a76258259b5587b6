import { type Axis, type Cover, coversOf, scaleOf } from './opencv-taps.ts';
import { type FloatPicture, floatsLike, type Samples } from './samples.ts';

/*
 * INTER_AREA of floats when reducing, as in modules/imgproc/src/resize.cpp.
 */

type Round = (value: number) => number;

/** By whole factors: the mean of each block of pixels, in sums of four. */
export function averageFactorsOfFloats(
  source: Samples,
  across: Axis,
  down: Axis,
  round: Round,
): FloatPicture {
  const { data, width, channels } = source.pixels;
  const [factor, factorDown] = [Math.round(scaleOf(across)), Math.round(scaleOf(down))];
  const scale = Math.fround(1 / (factor * factorDown));
  const offsets = Array.from(
    { length: factor * factorDown },
    (_, i) => (Math.trunc(i / factor) * width + (i % factor)) * channels,
  );
  return each(source, across, down, (x, y, channel) => {
    const start = (y * factorDown * width + x * factor) * channels + channel;
    const at = (i: number) => source.values[data[start + (offsets[i] as number)] as number] as number;
    let sum = 0;
    let i = 0;
    for (; i <= offsets.length - 4; i += 4) {
      sum = round(sum + round(round(round(at(i) + at(i + 1)) + at(i + 2)) + at(i + 3)));
    }
    for (; i < offsets.length; i++) sum = round(sum + at(i));
    return round(sum * scale);
  });
}

/** By any other factor: covered pixels by their covered part, rows first. */
export function averageAreaOfFloats(source: Samples, across: Axis, down: Axis, round: Round): FloatPicture {
  const { data, channels, width } = source.pixels;
  const [columns, rows] = [coversOf(across), coversOf(down)];
  const inRow = (x: number, row: number, channel: number): number => {
    const { start, weights } = columns[x - across.from] as Cover;
    let sum = 0;
    for (const [k, weight] of weights.entries()) {
      const level = data[(row * width + start + k) * channels + channel] as number;
      sum = round(sum + round((source.values[level] as number) * weight));
    }
    return sum;
  };
  return each(source, across, down, (x, y, channel) => {
    const { start, weights } = rows[y - down.from] as Cover;
    let sum = 0;
    for (const [k, weight] of weights.entries()) {
      sum = round(sum + round(weight * inRow(x, start + k, channel)));
    }
    return sum;
  });
}

function each(
  source: Samples,
  across: Axis,
  down: Axis,
  valueAt: (x: number, y: number, channel: number) => number,
): FloatPicture {
  const { channels } = source.pixels;
  const [width, height] = [across.to - across.from, down.to - down.from];
  const data = floatsLike(source, width * height * channels);
  let at = 0;
  for (let y = down.from; y < down.to; y++) {
    for (let x = across.from; x < across.to; x++) {
      for (let channel = 0; channel < channels; channel++) data[at++] = valueAt(x, y, channel);
    }
  }
  return { data, width, height, channels };
}
