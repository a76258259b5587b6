import type { SkewStep } from '../../../gen/image/v1/processor_pb.ts';
import type { Planes } from '../view/tensor.ts';

/** From a tensor's values to levels 0…255, a row for each channel: level = value · factor + offset. */
export interface ValueRange {
  readonly channels: readonly { readonly factor: number; readonly offset: number }[];
  /** How the values are drawn, in words. */
  readonly words: string;
}

const usual: Readonly<Record<string, readonly number[]>> = {
  'ImageNet mean': [0.485, 0.456, 0.406],
  'ImageNet std': [0.229, 0.224, 0.225],
  'CLIP mean': [0.481_454_66, 0.457_827_5, 0.408_210_73],
  'CLIP std': [0.268_629_54, 0.261_302_58, 0.275_777_11],
};

/**
 * The range of the expected tensor, from its values and its pixels: two pixels of each channel determine the line.
 *
 * @param pixels - [height, width, 4] uint8
 */
export function rangeOfExpected({ channels }: Planes, pixels: Uint8ClampedArray): ValueRange {
  return {
    words: 'with the expected mean and std',
    channels: channels.map((values, channel) => {
      const least = indexOfExtreme(values, (value, best) => value < best);
      const most = indexOfExtreme(values, (value, best) => value > best);
      const [low, high] = [values[least] ?? 0, values[most] ?? 0];
      const [from, to] = [pixels[4 * least + channel] ?? 0, pixels[4 * most + channel] ?? 0];
      const factor = high === low ? 0 : (to - from) / (high - low);
      return { factor, offset: from - low * factor };
    }),
  };
}

/**
 * The range of the given tensor: that of the expected one, or the mean and std that were found, or a usual range that
 * contains all values, or else from the least value to the greatest.
 */
export function rangeOfGiven(
  steps: readonly Pick<SkewStep, 'name' | 'yours'>[],
  expected: ValueRange,
  { min, max }: { readonly min: number; readonly max: number },
  channelCount: number,
): ValueRange {
  const yours = new Map(steps.map((step) => [step.name, step.yours]));
  const isSame = !['scale', 'mean', 'std'].some((name) => yours.has(name));
  if (isSame && expected.channels.length >= channelCount) return expected;
  const [mean, std] = [numbersIn(yours.get('mean'), 'mean'), numbersIn(yours.get('std'), 'std')];
  const [scale = 1 / 255] = numbersIn(yours.get('scale'), 'scale');
  if (mean.length > 0 && std.length > 0) {
    const channels = Array.from({ length: channelCount }, (_, channel) => {
      const [shift = 0, width = 1] = [mean[channel] ?? mean[0], std[channel] ?? std[0]];
      return { factor: width / scale, offset: shift / scale };
    });
    return { channels, words: 'with the mean and std that were found' };
  }
  const [low, high] = usualRange(min, max) ?? [min, max];
  const factor = high > low ? 255 / (high - low) : 0;
  return {
    channels: Array.from({ length: channelCount }, () => ({ factor, offset: -low * factor })),
    words: `from ${rounded(low)} as black to ${rounded(high)} as white`,
  };
}

/** 0 to 1, −1 to 1, or 0 to 255. */
function usualRange(min: number, max: number): readonly [low: number, high: number] | undefined {
  const ranges = [
    [0, 1],
    [-1, 1],
    [0, 255],
  ] as const;
  return ranges.find(([low, high]) => min >= low && max <= high);
}

/** The numbers of a step's words, such as `0.485, 0.456, 0.406`, `ImageNet` or `1/255`; empty if there are none. */
function numbersIn(words: string | undefined, kind: 'mean' | 'std' | 'scale'): readonly number[] {
  if (words === undefined) return [];
  const named = usual[`${words} ${kind}`];
  if (named !== undefined) return named;
  const divided = /^1\/([\d.]+)$/.exec(words);
  if (divided !== null) return [1 / Number(divided[1])];
  const numbers = words.split(',').map(Number);
  return numbers.every((each) => Number.isFinite(each)) ? numbers : [];
}

function indexOfExtreme(values: Float32Array, isBetter: (value: number, best: number) => boolean): number {
  let best = 0;
  for (let at = 1; at < values.length; at++) if (isBetter(values[at] ?? 0, values[best] ?? 0)) best = at;
  return best;
}

function rounded(value: number): string {
  return String(Number(value.toPrecision(3))).replace('-', '−');
}
