import type { ImageHeader } from '../../codecs/header.ts';
import type { Pixels } from '../../image/pixels.ts';
import type { AlphaPlan } from '../../image/plan.ts';
import type { ResizeStep } from '../../image/resize.ts';
import type { Size } from '../../image/shortest-edge.ts';
import type { PlacedStep } from '../../image/step.ts';
import type { Step } from '../../image/steps.ts';

/*
 * A hypothesis about the preprocessing that made a tensor: one choice of each dimension. Each dimension is a file in this
 * folder that lists its choices; the search tries them.
 */

/** The names of a report's steps, in the order of processing. */
export const stepNames = [
  'decoder',
  'icc',
  'orientation',
  'alpha',
  'range',
  'size',
  'numerics',
  'filter',
  'crop',
  'pad',
  'grayscale',
  'recompression',
  'channel_order',
  'scale',
  'mean',
  'std',
  'rounding',
  'datatype',
  'layout',
] as const;

export type StepName = (typeof stepNames)[number];

/** The meaning of a choice, in the words of our options. A name that is unset says nothing about its step. */
export type Words = { readonly [Name in StepName]?: string };

/** One way in which pipelines differ. */
export interface Choice {
  /** Unique in its dimension. */
  readonly id: string;
  readonly words: Words;
  /** Tried only for a picture that no combination of the usual choices gives. */
  readonly isUnusual?: true;
  /** Of an unusual choice: it changes a picture so little that it is tried only from a hypothesis that is near. */
  readonly isRefinement?: true;
  /** Dimensions in which nothing is left to choose with it, but `none`: what is gray cannot be made gray. */
  readonly resets?: readonly ('recolouring' | 'finish')[];
}

/** The encoded source. */
export interface SkewSource {
  readonly content: Uint8Array;
  readonly header: ImageHeader;
}

/** How the file is decoded. */
export interface Decoding extends Choice {
  /**
   * @returns [height, width, 1 | 3 | 4] as stored, in memory of its own; undefined if this decoding does not exist for the
   *   file or on this machine
   */
  decode(source: SkewSource): Promise<Pixels | undefined>;
}

/** How the decoded pixels are turned. */
export interface Turn extends Choice {
  /** As EXIF's, 1…8. */
  readonly orientation: number;
}

/** The treatment of transparency. */
export interface Transparency extends Choice {
  /** The plan's words for it. Unset: no plan does this. */
  readonly alpha?: AlphaPlan;
  /**
   * @param pixels - [height, width, 1 | 3 | 4]; not to be written to
   * @returns [height, width, 1 | 3 | 4]
   */
  before(pixels: Pixels): Pixels;
  /** The treatment of the alpha that is left after the resize. Unset: nothing. */
  after?(picture: Levels): Levels | undefined;
}

/** A change of the source's colours before it is resized. */
export interface Recolouring extends Choice {
  /**
   * @param pixels - [height, width, 1 | 3 | 4]; not to be written to
   * @returns [height, width, 1 | 3 | 4]; undefined if it does not apply
   */
  apply(pixels: Pixels): Pixels | undefined | Promise<Pixels | undefined>;
  /** Similar choices, which may fit better if this one fits best. Unset: none. */
  near?(): readonly Recolouring[];
}

/** R, G and B, 0…255 each. */
export type Colour = readonly [red: number, green: number, blue: number];

/** The part of the source that is seen, and where it is in the result. */
export interface Framing extends Choice {
  /**
   * A cut or padded version of the source, which takes its place: its size, and the column and row of the source that
   * are its first ones. Unset: the source itself.
   */
  readonly canvas?: Window | undefined;
  /** The part of the upright source, or of the canvas, that is resampled, in its pixels, with fractions. */
  readonly box: readonly [left: number, top: number, right: number, bottom: number];
  /** Size that the box is resampled to. */
  readonly resized: Size;
  /** The part of the resized picture that is the result. */
  readonly shown: Window;
  /**
   * The expected steps, if they are more than one resize with crops and paddings. They take the place of all above, but
   * for the size; each resize has the library and the filter of the resampler.
   */
  readonly steps?: readonly PlacedStep<Step>[] | undefined;
}

/** A part of a picture, which may reach beyond it. */
export interface Window extends Size {
  /** Column of the picture that is the first one. Below 0: so many columns of padding come before it. */
  readonly left: number;
  /** The same for rows. */
  readonly top: number;
  /** Colour of what is beyond the picture. */
  readonly pad: Colour;
}

/** A picture of levels: whole ones, or fractions that no step has rounded. */
export interface Levels extends Size {
  readonly data: Uint8Array | Float32Array | Float64Array;
  /** 4: R, G, B and alpha. */
  readonly channels: 1 | 3 | 4;
  /** The value of white: 1 where the pixels were divided by 255 before they were resized. Unset: 255. */
  readonly white?: 1 | 255;
}

/** The file of a source, and what was done before it is resampled. */
export type ResampledFile = SkewSource &
  Pick<Hypothesis, 'decoding' | 'turn' | 'transparency' | 'recolouring'>;

/** The arithmetic of a resize. */
export interface Resampler extends Choice {
  /** The library and the filter of a plan's resize, if a plan can have them. */
  readonly step?: Pick<ResizeStep, 'library' | 'filter'>;
  /**
   * Of a resampler that computes whole pictures: the id of one that is near to it, whose result tells whether it is worth
   * its time.
   */
  readonly nearTo?: string;
  /**
   * @param source - [height, width, 1 | 3 | 4] uint8, upright, not to be written to
   * @param framing - its box and its size
   * @param cutout - the part of the resized picture to compute, within it
   * @returns the cutout; undefined if the library cannot do this resize
   */
  run(
    source: Pixels,
    framing: Pick<Framing, 'box' | 'resized'>,
    cutout: { left: number; top: number; right: number; bottom: number },
    file: ResampledFile,
  ): Levels | undefined | Promise<Levels | undefined>;
}

/** A change of the framed picture: grayscale, range, recompression. */
export interface Finish extends Choice {
  /** Whether a pixel depends on others, so that parts of a picture cannot be computed. */
  readonly needsWhole?: true;
  /** @returns undefined if it does not apply */
  apply(picture: Levels): Levels | undefined | Promise<Levels | undefined>;
}

/** The order of the channels. */
export interface ChannelOrder extends Choice {
  /** The picture's channel for each channel of the tensor. */
  readonly channels: readonly number[];
}

/** One choice of each dimension. */
export interface Hypothesis {
  readonly decoding: Decoding;
  readonly turn: Turn;
  readonly transparency: Transparency;
  readonly recolouring: Recolouring;
  readonly framing: Framing;
  readonly resampler: Resampler;
  readonly finish: Finish;
  readonly channelOrder: ChannelOrder;
}

/** The dimensions, in the order of processing. */
export const dimensions = [
  'decoding',
  'turn',
  'transparency',
  'recolouring',
  'framing',
  'resampler',
  'finish',
  'channelOrder',
] as const satisfies readonly (keyof Hypothesis)[];

/** The choices of each dimension. The first one is that of the expected tensor. */
export type Lattice = {
  readonly [Name in Exclude<keyof Hypothesis, 'framing'>]: readonly Hypothesis[Name][];
} & {
  /** Those of a source that is turned in this way. */
  framing(turn: Turn): readonly Framing[];
  /** Further ones, for pictures that none of these gives. */
  unusualFraming(turn: Turn): readonly Framing[];
  /** Those that differ from a hypothesis' own by a pixel. */
  nearFramings(hypothesis: Hypothesis): readonly Framing[];
};

/** The hypothesis of the expected tensor. */
export function expectedOf(lattice: Lattice): Hypothesis {
  const choices = dimensions.map((name) => {
    const [first] = name === 'framing' ? lattice.framing(lattice.turn[0] as Turn) : lattice[name];
    return [name, first];
  });
  return Object.fromEntries(choices) as unknown as Hypothesis;
}

/** The meaning of a hypothesis. */
export function wordsOf(hypothesis: Hypothesis): Words {
  return Object.assign({}, ...dimensions.map((name) => hypothesis[name].words)) as Words;
}

/** Identifies a hypothesis: equal ids give equal pictures. */
export function idOf(hypothesis: Hypothesis): string {
  return idsOf(hypothesis, dimensions);
}

/** The dimensions that determine the source that is resampled, but for a framing's canvas. */
export const dimensionsOfSource = ['decoding', 'turn', 'transparency', 'recolouring'] as const;

/** Identifies the source of a hypothesis, but for a framing's canvas. */
export function sourceIdOf(hypothesis: Hypothesis): string {
  return idsOf(hypothesis, dimensionsOfSource);
}

function idsOf(hypothesis: Hypothesis, names: readonly (keyof Hypothesis)[]): string {
  return names.map((name) => hypothesis[name].id).join('|');
}
