import { roundHalfToEven, type Size } from '../../image/shortest-edge.ts';
import { black, framingOf, wholeWindow } from './framing.ts';
import type { Colour, Framing, Levels, Window } from './hypothesis.ts';

/*
 * The ways from a source to a result of a given size: which part of it is resampled to which size, and what is cut or
 * padded before and after. Rules that give the same framing of a source are one choice.
 */

/** The rules by which programs round a side or a position. */
const roundings = [Math.floor, roundHalfToEven, Math.ceil] as const;

/** Lengths of the shorter side before the centre is cut, as shares of the crop: timm's crop_pct. */
const cropShares = [1, 0.875, 0.9, 0.95, 0.96, 0.94, 0.93, 0.85, 0.8] as const;

/** Lengths of the shorter side that are in use whatever the crop. */
const shorterSides = [256, 232, 236, 248, 288, 320, 342, 384, 438, 480, 512] as const;

/**
 * The framings of a source, the most usual first.
 *
 * @param source - its size, upright, in pixels
 * @param picture - the given one
 */
export function framingsOf(source: Size, picture: Levels): readonly Framing[] {
  const size = { width: picture.width, height: picture.height };
  const pads = padsOf(picture);
  return unique([
    stretched(source, size),
    ...coveringCrops(source, size),
    ...shorterSides.flatMap((side) => shorterSideCrops(source, size, side)),
    ...squares(source, size),
    ...fittedBox(source, size),
    ...stretchedCrops(source, size),
    ...pads.flatMap((pad) => letterboxes(source, size, pad)),
    ...pads.flatMap((pad) => paddedSquares(source, size, pad)),
    ...cutOnly(source, size),
  ]);
}

/** Framings with a shorter side of any length, for pictures that none of {@link framingsOf} gives. */
export function unusualFramings(source: Size, size: Size): readonly Framing[] {
  const least = Math.max(size.width, size.height);
  const sides = Array.from({ length: Math.ceil(least / 2) }, (_, more) => least + more);
  return unique(sides.flatMap((side) => shorterSideCrops(source, size, side)));
}

/** The framings next to one: shown a pixel further, and resized to a pixel more or less. */
export function nearFramings(source: Size, framing: Framing): readonly Framing[] {
  const { shown, resized } = framing;
  const steps = [-1, 0, 1].flatMap((x) => [-1, 0, 1].map((y) => [x, y] as const));
  const windows = steps.map(([x, y]) => ({ ...shown, left: shown.left + x, top: shown.top + y }));
  const sizes = steps.map(([x, y]) => ({ width: resized.width + x, height: resized.height + y }));
  return unique([
    ...windows.map((window) => framingOf(source, { ...framing, shown: window })),
    ...sizes.filter(isPicture).map((size) => framingOf(source, { ...framing, resized: size })),
  ]).filter(({ id }) => id !== framing.id);
}

function unique(framings: readonly Framing[]): readonly Framing[] {
  return [...new Map(framings.toReversed().map((framing) => [framing.id, framing])).values()].reverse();
}

function whole({ width, height }: Size): Framing['box'] {
  return [0, 0, width, height];
}

function isPicture({ width, height }: Size): boolean {
  return width >= 1 && height >= 1;
}

function stretched(source: Size, size: Size): Framing {
  return framingOf(source, {
    box: whole(source),
    resized: size,
    shown: wholeWindow(size),
  });
}

/** The source is resized to cover a result, or more, and the centre is cut. */
function coveringCrops(source: Size, size: Size): readonly Framing[] {
  return cropShares.flatMap((share) => {
    const covering = { width: size.width / share, height: size.height / share };
    const scale = Math.max(covering.width / source.width, covering.height / source.height);
    const side = Math.min(source.width, source.height) * scale;
    return [...new Set([Math.floor(side), Math.round(side), Math.ceil(side)])].flatMap((rounded) =>
      shorterSideCrops(source, size, rounded),
    );
  });
}

/** The shorter side is resized to a length, the longer one in proportion, and the centre is cut. */
function shorterSideCrops(source: Size, size: Size, side: number): readonly Framing[] {
  const scale = side / Math.min(source.width, source.height);
  const isWide = source.width > source.height;
  return roundings.flatMap((round) => {
    // The product before the quotient, as torchvision and transformers compute it.
    const longer = round(
      (side * Math.max(source.width, source.height)) / Math.min(source.width, source.height),
    );
    const resized = isWide ? { width: longer, height: side } : { width: side, height: longer };
    if (resized.width < size.width || resized.height < size.height || scale <= 0) return [];
    return centredWindows(resized, size).map((shown) =>
      framingOf(source, {
        box: whole(source),
        resized,
        shown,
      }),
    );
  });
}

/** The windows of a size in the centre of a picture, by each rule for the odd pixel. */
function centredWindows(picture: Size, size: Size, pad = black): readonly Window[] {
  const [across, down] = [(picture.width - size.width) / 2, (picture.height - size.height) / 2];
  return roundings.flatMap((roundLeft) =>
    roundings.map((roundTop) => ({ ...size, left: roundLeft(across) + 0, top: roundTop(down) + 0, pad })),
  );
}

/** The largest centred part of the result's shape is cut before it is resized, in whole pixels. */
function squares(source: Size, size: Size): readonly Framing[] {
  const scale = Math.min(source.width / size.width, source.height / size.height);
  return roundings.flatMap((round) => {
    const part = {
      width: Math.min(source.width, Math.max(1, round(size.width * scale))),
      height: Math.min(source.height, Math.max(1, round(size.height * scale))),
    };
    return centredWindows(source, part).map((canvas) =>
      framingOf(source, {
        canvas,
        box: whole(part),
        resized: size,
        shown: wholeWindow(size),
      }),
    );
  });
}

/** The source is stretched to a larger size, and the centre is cut: timm's crop mode `squash`. */
function stretchedCrops(source: Size, size: Size): readonly Framing[] {
  return cropShares.slice(1).flatMap((share) =>
    roundings.flatMap((round) => {
      const resized = { width: round(size.width / share), height: round(size.height / share) };
      return centredWindows(resized, size).map((shown) =>
        framingOf(source, { box: whole(source), resized, shown }),
      );
    }),
  );
}

/** Pillow's ImageOps.fit: a part with fractions of pixels. */
function fittedBox(source: Size, size: Size): readonly Framing[] {
  const ratio = size.width / size.height;
  const part =
    source.width / source.height >= ratio
      ? { width: ratio * source.height, height: source.height }
      : { width: source.width, height: source.width / ratio };
  const [left, top] = [(source.width - part.width) * 0.5, (source.height - part.height) * 0.5];
  return [
    framingOf(source, {
      box: [left, top, left + part.width, top + part.height],
      resized: size,
      shown: wholeWindow(size),
    }),
  ];
}

/** Resized to fit into the result, aspect ratio kept, and padded. */
function letterboxes(source: Size, size: Size, pad: Colour): readonly Framing[] {
  const fitting = Math.min(size.width / source.width, size.height / source.height);
  // Some never enlarge.
  return [fitting, Math.min(1, fitting)].flatMap((scale) =>
    roundings.flatMap((round) => {
      const resized = { width: round(source.width * scale), height: round(source.height * scale) };
      if (!isPicture(resized) || resized.width > size.width || resized.height > size.height) return [];
      const corner = { ...size, left: 0, top: 0, pad };
      const end = { ...size, left: resized.width - size.width, top: resized.height - size.height, pad };
      return [...centredWindows(resized, size, pad), corner, end].map((shown) =>
        framingOf(source, {
          box: whole(source),
          resized,
          shown,
        }),
      );
    }),
  );
}

/** Padded to the shape of the result before it is resized. */
function paddedSquares(source: Size, size: Size, pad: Colour): readonly Framing[] {
  const scale = Math.max(source.width / size.width, source.height / size.height);
  const canvas = { width: Math.round(size.width * scale), height: Math.round(size.height * scale) };
  if (canvas.width < source.width || canvas.height < source.height) return [];
  return [...centredWindows(source, canvas, pad), { ...canvas, left: 0, top: 0, pad }].map((window) =>
    framingOf(source, {
      canvas: window,
      box: whole(canvas),
      resized: size,
      shown: wholeWindow(size),
    }),
  );
}

/** Cut without a resize. */
function cutOnly(source: Size, size: Size): readonly Framing[] {
  if (source.width < size.width || source.height < size.height) return [];
  return [...centredWindows(source, size), { ...size, left: 0, top: 0, pad: black }].map((shown) =>
    framingOf(source, {
      box: whole(source),
      resized: source,
      shown,
    }),
  );
}

/** The colours that a picture may be padded with: those of its edges that have one, in both orders of the channels. */
function padsOf(picture: Levels): readonly Colour[] {
  const { width, height } = picture;
  const edges = [
    { from: 0, step: 1, count: width },
    { from: (height - 1) * width, step: 1, count: width },
    { from: 0, step: width, count: height },
    { from: width - 1, step: width, count: height },
  ];
  const colours = edges.flatMap((edge) => colourOfEdge(picture, edge) ?? []);
  const both = colours.flatMap((colour) => [colour, [colour[2], colour[1], colour[0]] as const]);
  return [...new Map(both.map((colour) => [colour.join(), colour])).values()];
}

/** The colour of all pixels of an edge; undefined if they differ. */
function colourOfEdge(
  { data, channels }: Levels,
  { from, step, count }: { from: number; step: number; count: number },
): readonly Colour[] | undefined {
  const first = from * channels;
  for (let pixel = 1; pixel < count; pixel++) {
    for (let channel = 0; channel < channels; channel++) {
      if (data[(from + pixel * step) * channels + channel] !== data[first + channel]) return undefined;
    }
  }
  const at = (channel: number) => data[first + Math.min(channel, channels - 1)] ?? 0;
  return [[at(0), at(1), at(2)]];
}
