import { describe, expect, it } from 'vitest';
import { Failure } from '../../../../src/failures.ts';
import { decodeGif } from '../../../../src/processor/codecs/gif/decode.ts';
import { readHeader } from '../../../../src/processor/codecs/read-header.ts';
import { encoded, noise } from '../../../support/pictures.ts';
import type { PlanOptions } from '../../../support/plans.ts';
import { runStages } from '../../../support/stages.ts';

// Expected pixels are those of Pillow 13.0.

interface GifParts {
  readonly screen: readonly [width: number, height: number];
  readonly frame?: readonly [left: number, top: number, width: number, height: number];
  /** Indexes of colours, row by row as stored. */
  readonly colours: readonly number[];
  readonly palette?: readonly number[];
  readonly framePalette?: readonly number[];
  readonly transparent?: number;
  readonly isInterlaced?: boolean;
  /** Codes of 9 bits to use instead of those of the colours. */
  readonly codes?: readonly number[];
}

const [clear, end] = [256, 257];

/** A GIF whose codes are the indexes of its colours: 8 bits in codes of 9 bits, with the table cleared in time. */
function gif({
  screen,
  frame = [0, 0, ...screen],
  colours,
  palette = [],
  framePalette = [],
  ...parts
}: GifParts) {
  const { transparent, isInterlaced = false, codes = [clear, ...colours, end] } = parts;
  const uint16 = (...values: readonly number[]) => values.flatMap((value) => [value & 255, value >> 8]);
  const packed = (table: readonly number[]) =>
    table.length === 0 ? 0 : 0x80 | (Math.log2(table.length / 3) - 1);
  return Buffer.from([
    ...Buffer.from('GIF89a'),
    ...uint16(...screen),
    packed(palette),
    0,
    0,
    ...palette,
    ...(transparent === undefined ? [] : [0x21, 0xf9, 4, 1, 0, 0, transparent, 0]),
    0x2c,
    ...uint16(...frame),
    packed(framePalette) | (isInterlaced ? 0x40 : 0),
    ...framePalette,
    8,
    ...blocks(codes),
    0,
    0x3b,
  ]);
}

function blocks(codes: readonly number[]): number[] {
  const bytes: number[] = [];
  let [buffer, count] = [0, 0];
  for (const code of codes) {
    buffer |= code << count;
    for (count += 9; count >= 8; count -= 8, buffer >>= 8) bytes.push(buffer & 255);
  }
  bytes.push(buffer & 255);
  return [bytes.length, ...bytes];
}

const palette = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120];
const [a, b, c, d] = [
  palette.slice(0, 3),
  palette.slice(3, 6),
  palette.slice(6, 9),
  palette.slice(9),
] as const;

const cases: readonly (readonly [
  what: string,
  parts: GifParts,
  channels: 1 | 3 | 4,
  pixels: readonly number[],
])[] = [
  ['a palette', { screen: [2, 2], colours: [0, 1, 2, 3], palette }, 3, [...a, ...b, ...c, ...d]],
  [
    'a palette of the frame',
    { screen: [2, 1], colours: [0, 1], palette, framePalette: [...d, ...c] },
    3,
    [...d, ...c],
  ],
  ['a colour that is not in the palette', { screen: [2, 1], colours: [0, 200], palette }, 3, [...a, 0, 0, 0]],
  ['no palette', { screen: [2, 1], colours: [7, 200] }, 1, [7, 200]],
  [
    'a palette of grays by their numbers',
    { screen: [2, 1], colours: [0, 1], palette: [0, 0, 0, 1, 1, 1] },
    1,
    [0, 1],
  ],
  [
    'a transparent colour',
    { screen: [2, 1], colours: [0, 1], palette, transparent: 1 },
    4,
    [...a, 255, ...b, 0],
  ],
  [
    'a frame within its screen',
    { screen: [3, 2], frame: [1, 1, 1, 1], colours: [2], palette },
    3,
    [...a, ...a, ...a, ...a, ...c, ...a],
  ],
  [
    'a frame within its screen, which is transparent',
    { screen: [2, 1], frame: [1, 0, 1, 1], colours: [2], palette, transparent: 3 },
    4,
    [...d, 0, ...c, 255],
  ],
  [
    'a frame that reaches beyond its screen',
    { screen: [1, 1], frame: [1, 0, 1, 2], colours: [2, 1], palette },
    3,
    [...a, ...c, ...a, ...b],
  ],
  [
    'interlaced rows',
    { screen: [1, 5], colours: [0, 1, 2, 3, 3], palette, isInterlaced: true },
    3,
    [...a, ...d, ...c, ...d, ...b],
  ],
  [
    'the table cleared in between',
    { screen: [3, 1], colours: [], palette, codes: [clear, 1, clear, clear, 2, 3, end] },
    3,
    [...b, ...c, ...d],
  ],
  [
    'strings, one of them used while it is defined',
    { screen: [7, 1], colours: [], palette, codes: [clear, 1, 258, 2, 259, end] },
    3,
    [...b, ...b, ...b, ...c, ...b, ...b, ...c].slice(0, 21),
  ],
  ['codes behind the last pixel', { screen: [2, 1], colours: [1, 2, 3, 3], palette }, 3, [...b, ...c]],
];

async function decoded(content: Uint8Array, options: PlanOptions = {}) {
  const header = await readHeader(content, 1_000_000);
  const pixels = await runStages(content, header, options);
  return { header, pixels: { ...pixels, data: [...pixels.data] } };
}

async function refusal(content: Uint8Array): Promise<Failure> {
  const failure = await decoded(content).catch((error: unknown) => error);
  if (failure instanceof Failure) return failure;
  throw failure instanceof Error ? failure : new Error('it was decoded');
}

describe(decodeGif, () => {
  it.each(cases)('decodes %s as Pillow does', async (_, parts, channels, data) => {
    const { header, pixels } = await decoded(gif(parts));
    expect(pixels).toEqual({ data: [...data], width: header.width, height: header.height, channels });
    expect(header).toMatchObject({
      format: 'gif',
      colour: parts.palette === undefined || channels === 1 ? 'gray' : 'rgb',
      hasAlpha: channels === 4,
    });
    expect((await decoded(gif(parts), { numerics: 'fast' })).pixels.data).toEqual([...data]);
    const resize = { fit: 'fill', filter: 'bilinear', width: 4, height: 3 } as const;
    expect((await decoded(gif(parts), { numerics: 'fast', resize })).pixels).toMatchObject({
      width: 4,
      height: 3,
      channels,
    });
  });

  it.each<[what: string, codes: readonly number[]]>([
    ['end before the last pixel', [clear, 1, 2, end]],
    ['begin with a string', [clear, 300, 1, 2, 3]],
    ['name a string that is not there yet', [clear, 1, 400, 2, 3]],
  ])('refuses codes that %s', async (_, codes) => {
    const file = gif({ screen: [2, 2], colours: [], palette, codes });
    expect(await refusal(file)).toMatchObject({ reason: 'IMAGE_CORRUPT', metadata: { format: 'gif' } });
  });

  it('refuses codes of 13 bits and none', async () => {
    const file = gif({ screen: [2, 2], colours: [0, 1, 2, 3] });
    const size = file.indexOf(8, 23);
    for (const bits of [0, 12]) {
      file.writeUInt8(bits, size);
      expect(await refusal(file)).toMatchObject({ reason: 'IMAGE_CORRUPT' });
    }
  });

  it('refuses a frame of no pixels, no frame, and a frame that is cut off', async () => {
    const whole = gif({ screen: [2, 2], colours: [0, 1, 2, 3], palette });
    expect(await refusal(gif({ screen: [2, 2], frame: [0, 0, 0, 2], colours: [] }))).toMatchObject({
      reason: 'IMAGE_CORRUPT',
    });
    expect(await refusal(Buffer.concat([whole.subarray(0, 25), Buffer.of(0x3b)]))).toMatchObject({
      reason: 'IMAGE_CORRUPT',
    });
    for (let length = 13; length < whole.length - 2; length++) {
      expect(await refusal(whole.subarray(0, length))).toMatchObject({ reason: 'IMAGE_CORRUPT' });
    }
  });

  it('decodes codes of all lengths, as sharp writes them, to the pixels of libvips', async () => {
    const { default: sharp } = await import('sharp');
    const content = await encoded(noise(300, 200), 'gif');
    const { data } = await sharp(content).removeAlpha().raw().toBuffer({ resolveWithObject: true });
    const { pixels } = await decoded(content);
    const rgb = pixels.channels === 4 ? pixels.data.filter((_, at) => at % 4 !== 3) : pixels.data;
    expect(Buffer.from(rgb).equals(data)).toBe(true);
  });
});
