import { flatten } from '../../image/alpha.ts';
import type { Pixels } from '../../image/pixels.ts';
import type { AlphaPlan } from '../../image/plan.ts';
import type { Levels, Transparency } from './hypothesis.ts';

/**
 * The treatments of transparency, that of the plan first.
 *
 * @param hasAlpha - of the source
 * @param expected - the plan's
 */
export function transparenciesOf(hasAlpha: boolean, expected: AlphaPlan): readonly Transparency[] {
  if (!hasAlpha) return [{ id: 'none', words: {}, before: (pixels) => pixels }];
  const before = [planned(expected), planned('dropped'), ...colours.map(planned)];
  const unique = new Map(
    [...before, ...colours.map(roundedDown), ...later].map((choice) => [choice.id, choice]),
  );
  return [...unique.values()];
}

const [white, black, gray] = [
  [255, 255, 255],
  [0, 0, 0],
  [128, 128, 128],
] as const;

const colours = [white, black, gray] as const;

type Colour = Exclude<AlphaPlan, string>;

function wordsOf(colour: Colour): string {
  const [level] = colour;
  if (colour.some((other) => other !== level)) return `rgb(${colour.join(', ')})`;
  return { 255: 'white', 0: 'black', 128: 'gray' }[level] ?? `rgb(${colour.join(', ')})`;
}

/** The treatments that a plan can have before the resize. Pillow's `paste` with a mask has the same rounding as its `alpha_composite`. */
function planned(alpha: AlphaPlan): Transparency {
  const words = typeof alpha === 'string' ? 'drop' : wordsOf(alpha);
  return {
    id: words,
    words: { alpha: words },
    alpha,
    before: (pixels) => flatten(pixels, alpha),
  };
}

/** (C · A + colour · (255 − A)) / 255, rounded down: sharp's `flatten`, and sums in NumPy that are converted to uint8. */
function roundedDown(colour: Colour): Transparency {
  const words = `${wordsOf(colour)}, rounded down`;
  return {
    id: words,
    words: { alpha: words },
    before: (pixels) => (pixels.channels === 4 ? drawRoundedDown(pixels, colour) : pixels),
  };
}

function drawRoundedDown({ data, width, height }: Pixels, colour: Colour): Pixels {
  const rgb = new Uint8Array(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4, to += 3) {
    const alpha = data[from + 3] as number;
    for (let channel = 0; channel < 3; channel++) {
      const sum = (data[from + channel] as number) * alpha + (colour[channel] as number) * (255 - alpha);
      rgb[to + channel] = Math.floor(sum / 255);
    }
  }
  return { data: rgb, width, height, channels: 3 };
}

/** The picture is resized with its alpha: by Pillow premultiplied, by others like a colour. */
const later: readonly Transparency[] = [
  {
    id: 'drop later',
    words: { alpha: 'drop, after the resize' },
    before: asStored,
    after: afterwards('dropped'),
  },
  ...[white, black].map((colour) => ({
    id: `${wordsOf(colour)} later`,
    words: { alpha: `${wordsOf(colour)}, after the resize` },
    before: asStored,
    after: afterwards(colour),
  })),
];

function asStored(pixels: Pixels): Pixels {
  return pixels;
}

function afterwards(alpha: AlphaPlan): NonNullable<Transparency['after']> {
  return (picture) => {
    const { data } = picture;
    if (picture.channels !== 4 || !(data instanceof Uint8Array)) return undefined;
    return { ...flatten({ ...picture, data }, alpha), channels: 3 } as Levels;
  };
}
