import { kindOfArrangement } from '../image/arrangements/arrangements.ts';
import { areaOf } from '../image/cutout.ts';
import type { Geometry, PlacedBranch, PlannedImage } from '../image/geometry.ts';
import type { Pixels } from '../image/pixels.ts';
import { isGrayscale, type TensorPlan } from '../image/plan.ts';
import type { Size } from '../image/shortest-edge.ts';
import { arrangementOf } from '../image/tensor.ts';
import type { ChannelTable } from '../image/value-table.ts';
import { tilesOf } from '../image/views/tiles.ts';
import type { GivenTensor } from './given/given-tensor.ts';

/*
 * Tensors in which the pixels of a picture do not stand row by row: patches, tiles, several pictures. The arrangement
 * itself tells where each value comes from: it is given pictures whose samples are the bytes of their own indices.
 */

/** The pair of tensors, as pictures that can be searched. */
export interface PicturePair {
  readonly given: GivenTensor;
  readonly expected: GivenTensor;
  /** The way from the source to the picture. */
  readonly branch: PlacedBranch;
  /** How both were arranged, if the tensors are no pictures themselves. */
  readonly arrangement?: string;
  /** The other pictures in the given tensor; `given` is unset for one that cannot be taken out of it. */
  others(): readonly { readonly given: GivenTensor | undefined; readonly branch: PlacedBranch }[];
}

/** A picture of a tensor, and where it is in the picture that is searched; unset: it is not part of that. */
interface PictureOfTensor extends Size {
  readonly target?: { readonly left: number; readonly top: number } & Size;
}

/**
 * The pictures in a pair of tensors. Of several pictures the largest one is searched, put together from its tiles.
 *
 * @returns undefined if the given tensor cannot be taken apart as the expected one is
 */
export function picturesOf(
  given: GivenTensor,
  expected: GivenTensor,
  { plan, geometry }: PlannedImage,
): PicturePair | undefined {
  const output = plan.output as TensorPlan;
  const arrangement = arrangementOf(output);
  const kind = kindOfArrangement(arrangement);
  const { branches, pictures: all } = ofFirstTensor(geometry, output);
  const branch = largestOf(branches);
  if (arrangement.kind === 'images' && all.length === 1) {
    return { given, expected, branch, others: () => [] };
  }
  const pictures = picturesIn(branches, branch);
  const pixels = pictures.reduce((sum, size) => sum + areaOf(size), 0);
  if (kind.computesFloats || pixels > mostPixels) return undefined;
  const channels = isGrayscale(plan) ? 1 : 3;
  const from = restore(given, [pictures, ...otherGrids(given, pictures)], output, channels);
  const right = restore(expected, [pictures], output, channels);
  if (from === undefined || right === undefined) return undefined;
  return {
    given: from,
    expected: right,
    branch,
    arrangement: kind.inWords(arrangement, output.layout),
    others: () =>
      branches
        .filter((other) => other !== branch)
        .map((other) => ({
          branch: other,
          given: restore(given, [picturesIn(branches, other)], output, channels),
        })),
  };
}

/** The pictures of the first tensor, which is the one that is compared. */
function ofFirstTensor({ branches, pictures }: Geometry, { rest }: TensorPlan) {
  return rest === undefined
    ? { branches, pictures }
    : { branches: branches.slice(0, 1), pictures: pictures.slice(0, 1) };
}

/** Pixels of all pictures of a tensor: their numbers have three bytes. */
const mostPixels = 2 ** 24;

function largestOf(branches: readonly PlacedBranch[]): PlacedBranch {
  return branches.reduce((one, other) => (areaOf(other.picture) > areaOf(one.picture) ? other : one));
}

/** All pictures of a tensor; those of the branch have their place in its picture. */
function picturesIn(branches: readonly PlacedBranch[], branch: PlacedBranch): readonly PictureOfTensor[] {
  return branches.flatMap((one) => {
    const { width, height } = one.picture;
    const tiles =
      one.tiles === undefined ? [{ left: 0, top: 0, width, height }] : tilesOf(one.picture, one.tiles);
    return tiles.map((tile) => ({
      width: tile.width,
      height: tile.height,
      ...(one === branch && { target: tile }),
    }));
  });
}

/** Other grids of as many patches, those with the most similar shape first. */
function otherGrids(
  { shape }: GivenTensor,
  pictures: readonly Size[],
): readonly (readonly PictureOfTensor[])[] {
  const [picture] = pictures;
  const [rows = 0] = shape;
  if (picture === undefined || pictures.length !== 1 || rows > mostRows) return [];
  const ratio = picture.width / picture.height;
  const grids = Array.from({ length: rows }, (_, index) => index + 1)
    .filter((across) => rows % across === 0)
    .map((across) => ({ across, down: rows / across }))
    .toSorted((a, b) => unlikeness(a, ratio) - unlikeness(b, ratio));
  return grids.slice(0, mostGrids).flatMap(({ across, down }) =>
    patchSides.map((side) => {
      const size = { width: across * side, height: down * side };
      return [{ ...size, target: { left: 0, top: 0, ...size } }];
    }),
  );
}

/** Grids of patches that are tried. */
const mostGrids = 4;

const mostRows = 2 ** 16;

/** Sides of models' patches, in pixels. */
const patchSides = [14, 16, 28, 32] as const;

function unlikeness({ across, down }: { across: number; down: number }, ratio: number): number {
  return Math.abs(Math.log(across / down / ratio));
}

/** A branch's picture as [height, width, channels], or undefined if the tensor has none of these sizes. */
function restore(
  tensor: GivenTensor,
  candidates: Iterable<readonly PictureOfTensor[]>,
  plan: TensorPlan,
  channels: 1 | 3,
): GivenTensor | undefined {
  const arrangement = arrangementOf(plan);
  const kind = kindOfArrangement(arrangement);
  for (const pictures of candidates) {
    const shape = kind.shape(arrangement, pictures, channels, plan.layout);
    if (shape.join() === tensor.shape.join()) return assembled(tensor, pictures, plan, channels);
  }
  return undefined;
}

/** @returns undefined if the tensor contains a sample twice, with different values */
function assembled(
  tensor: GivenTensor,
  pictures: readonly PictureOfTensor[],
  plan: TensorPlan,
  channels: 1 | 3,
): GivenTensor | undefined {
  const samples = samplesOf(tensor, pictures, plan, channels);
  const targets = pictures.flatMap(({ target }) => (target === undefined ? [] : [target]));
  const [width, height] = [
    Math.max(...targets.map(({ left, width }) => left + width)),
    Math.max(...targets.map(({ top, height }) => top + height)),
  ];
  const positions = positionsOf(pictures, width);
  const values = tensor.values.slice(0, width * height * channels).fill(0);
  const isSet = new Uint8Array(values.length);
  for (let at = 0; at < tensor.values.length; at++) {
    const channel = samples.channel[at] as number;
    const position = positions[samples.pixel[at] as number] as number;
    // Padding, or a sample of another picture.
    if (channel === 0 || position < 0) continue;
    const to = position * channels + channel - 1;
    const value = tensor.values[at] as number;
    // The frames of a model for videos repeat the picture.
    if (isSet[to] === 1 && values[to] !== value) return undefined;
    isSet[to] = 1;
    values[to] = value;
  }
  return { ...tensor, shape: [height, width, channels], values };
}

/** For each pixel of all pictures, one after another, its position in the assembled picture; −1 if it is not in it. */
function positionsOf(pictures: readonly PictureOfTensor[], width: number): Int32Array {
  const positions = new Int32Array(pictures.reduce((sum, size) => sum + areaOf(size), 0)).fill(-1);
  let at = 0;
  for (const { target, ...size } of pictures) {
    for (let pixel = 0; target !== undefined && pixel < areaOf(size); pixel++) {
      const [x, y] = [pixel % size.width, Math.floor(pixel / size.width)];
      positions[at + pixel] = (target.top + y) * width + target.left + x;
    }
    at += areaOf(size);
  }
  return positions;
}

/** Where the values of a tensor come from: a pixel of all pictures, and a channel from 1; channel 0 is padding. */
function samplesOf(
  { values: { length } }: GivenTensor,
  pictures: readonly Size[],
  plan: TensorPlan,
  channels: 1 | 3,
): { readonly pixel: Uint32Array; readonly channel: Uint8Array } {
  const arrangement = arrangementOf(plan);
  const write = (byteOf: (pixel: number) => number, tables: readonly ChannelTable[]): Uint8Array => {
    let start = 0;
    const filled = pictures.map(({ width, height }): Pixels => {
      const data = new Uint8Array(width * height * channels);
      for (let at = 0; at < data.length; at++) data[at] = byteOf(start + Math.floor(at / channels));
      start += width * height;
      return { data, width, height, channels };
    });
    const values = new Uint8Array(length);
    kindOfArrangement(arrangement).write(arrangement, filled, tables, plan.layout, values);
    return values;
  };
  const levels = Uint8Array.from({ length: 256 }, (_, level) => level);
  const [low, middle, high] = [0, 8, 16].map((shift) =>
    write(
      (pixel) => (pixel >> shift) & 255,
      tablesOf(channels, () => levels),
    ),
  ) as [Uint8Array, Uint8Array, Uint8Array];
  return {
    pixel: Uint32Array.from(
      low,
      (byte, at) => byte + 256 * (middle[at] as number) + 65_536 * (high[at] as number),
    ),
    channel: write(
      () => 0,
      tablesOf(channels, (channel) => new Uint8Array(256).fill(channel + 1)),
    ),
  };
}

function tablesOf(channels: number, tableOf: (channel: number) => Uint8Array): readonly ChannelTable[] {
  return Array.from({ length: channels }, (_, sample) => ({ sample, table: tableOf(sample) }));
}
