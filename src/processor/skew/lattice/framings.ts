import type { Size } from '../../image/shortest-edge.ts';
import type { Framing } from './hypothesis.ts';

/**
 * The ways from a source to a result of a size. Rules that give the same framing of this source are one choice.
 *
 * @param source - upright, in pixels
 * @param size - of the given tensor
 */
export function framingsOf(source: Size, size: Size): readonly Framing[] {
  const framings = new Map<string, Framing>();
  for (const framing of [stretched(source, size), ...cropped(source, size)]) {
    if (!framings.has(framing.id)) framings.set(framing.id, framing);
  }
  return [...framings.values()];
}

/** Makes a framing; its `id` is all that determines its pixels. */
export function framingOf(framing: Omit<Framing, 'id'>): Framing {
  const { box, resized, left, top, size, pad } = framing;
  const id = [...box, resized.width, resized.height, left, top, size.width, size.height, ...pad].join(' ');
  return { ...framing, id };
}

const black = [0, 0, 0] as const;

function stretched(source: Size, size: Size): Framing {
  return framingOf({
    words: { size: `${size.width} × ${size.height}, aspect ratio not kept`, crop: 'none' },
    box: [0, 0, source.width, source.height],
    resized: size,
    left: 0,
    top: 0,
    size,
    pad: black,
  });
}

/** The shorter side is resized to a length, and the centre is cut. */
function cropped(source: Size, size: Size): readonly Framing[] {
  const side = Math.max(size.width, size.height);
  return [side, 256, Math.round(side / 0.875), Math.floor(side / 0.9), Math.floor(side / 0.95)].flatMap(
    (edge) => {
      const scale = edge / Math.min(source.width, source.height);
      return [Math.trunc, Math.round, Math.ceil].flatMap((round) => {
        const resized = { width: round(source.width * scale), height: round(source.height * scale) };
        if (resized.width < size.width || resized.height < size.height) return [];
        return [Math.floor, Math.ceil].map((roundCrop) =>
          framingOf({
            words: {
              size: `shorter side ${edge}: ${resized.width} × ${resized.height}`,
              crop: `centre ${size.width} × ${size.height}`,
            },
            box: [0, 0, source.width, source.height],
            resized,
            left: roundCrop((resized.width - size.width) / 2),
            top: roundCrop((resized.height - size.height) / 2),
            size,
            pad: black,
          }),
        );
      });
    },
  );
}
