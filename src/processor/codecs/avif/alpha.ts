import { lumaChannel, type Planes, shiftOf } from './planes.ts';
import type { SequenceHeader } from './sequence-header.ts';

const { fround } = Math;

/**
 * Writes alpha into RGBA as libavif does (avifReformatAlpha in alpha.c, avifLimitedToFullY in reformat.c).
 *
 * @param isShifted - true: reduce to 8 bits by dropping the lowest bits, as libyuv; false: by rounding, as libavif
 * @param rgba - [height, width, 4] uint8
 */
export function fillAlpha(
  planes: Planes,
  sequence: SequenceHeader,
  isShifted: boolean,
  rgba: Uint8Array,
): void {
  const { depth, colour } = sequence;
  const { samples, channels } = planes;
  const most = 2 ** depth - 1;
  const scale = 2 ** (depth - 8);
  const table = Uint8Array.from({ length: most + 1 }, (_, value) => {
    const full = colour.isFullRange
      ? value
      : Math.min(
          most,
          Math.max(0, Math.trunc(((value - 16 * scale) * most + ((219 * scale) >> 1)) / (219 * scale))),
        );
    if (depth === 8) return full;
    return isShifted ? full >> (depth - 8) : Math.trunc(fround(0.5 + fround(fround(full / most) * 255)));
  });
  const shift = shiftOf(planes, depth);
  const first = channels === 1 ? 0 : lumaChannel;
  for (let from = first, to = 3; to < rgba.length; from += channels, to += 4) {
    rgba[to] = table[(samples[from] as number) >> shift] as number;
  }
}

/** 65,536 / alpha, as in libyuv's table fixed_invtbl8. Its first two entries and its last are exceptions. */
const inverses = Int32Array.from({ length: 256 }, (_, alpha) => Math.trunc(65_536 / alpha));
inverses.set([0, 0xffff]);
inverses[255] = 256;

/**
 * Divides colours by their alpha, as libyuv's ARGBUnattenuate does (row_gcc.cc). Its instructions read a quotient of
 * more than 15 bits as a negative number, so it becomes 0.
 *
 * @param rgba - [height, width, 4] uint8, changed in place
 */
export function unpremultiply(rgba: Uint8Array): void {
  for (let at = 0; at < rgba.length; at += 4) {
    const inverse = inverses[rgba[at + 3] as number] as number;
    for (let channel = at; channel < at + 3; channel++) {
      const quotient = Math.floor(((rgba[channel] as number) * 257 * inverse) / 65_536);
      rgba[channel] = quotient > 0x7fff ? 0 : Math.min(255, quotient);
    }
  }
}
