import type { Cutout } from '../image/cutout.ts';
import type { Levels } from './lattice/hypothesis.ts';
import type { RecoveredPicture } from './values/recovered.ts';

/** Side of a window, in pixels. */
const side = 16;

/** In each quarter of a picture, the window with the most detail. */
export function windowsOf(picture: Levels): readonly Cutout[] {
  const { width, height } = picture;
  const [middleX, middleY] = [Math.floor(width / 2), Math.floor(height / 2)];
  const quarters = [
    { left: 0, top: 0, right: middleX, bottom: middleY },
    { left: middleX, top: 0, right: width, bottom: middleY },
    { left: 0, top: middleY, right: middleX, bottom: height },
    { left: middleX, top: middleY, right: width, bottom: height },
  ];
  return quarters
    .filter(({ left, right, top, bottom }) => left < right && top < bottom)
    .map((quarter) => mostOf(quarter, (window) => detailOf(picture, window)));
}

/** The window in which two pictures of one size differ most. */
export function worstWindow(picture: RecoveredPicture, other: Levels): Cutout {
  const { width, height, channels, distance } = picture;
  const scale = 255 / (other.white ?? 255);
  return mostOf({ left: 0, top: 0, right: width, bottom: height }, ({ left, top, right, bottom }) => {
    let sum = 0;
    for (let y = top; y < bottom; y++) {
      for (let at = (y * width + left) * channels; at < (y * width + right) * channels; at++) {
        const [own, rendered] = [picture.data[at] as number, (other.data[at] as number) * scale];
        sum += distance === undefined ? Math.abs(own - rendered) : distance(own, rendered, at % channels);
      }
    }
    return sum;
  });
}

/** The window of a part with the largest figure. */
function mostOf(part: Cutout, figureOf: (window: Cutout) => number): Cutout {
  let [most, best] = [-1, part];
  for (let top = part.top; top < part.bottom; top += side) {
    for (let left = part.left; left < part.right; left += side) {
      const window = {
        left,
        top,
        right: Math.min(part.right, left + side),
        bottom: Math.min(part.bottom, top + side),
      };
      const figure = figureOf(window);
      if (figure > most) [most, best] = [figure, window];
    }
  }
  return best;
}

/** Sum of the absolute differences of neighbouring levels in a row. */
function detailOf({ data, width, channels }: Levels, { left, top, right, bottom }: Cutout): number {
  let sum = 0;
  for (let y = top; y < bottom; y++) {
    for (let at = (y * width + left + 1) * channels; at < (y * width + right) * channels; at++) {
      sum += Math.abs((data[at] as number) - (data[at - channels] as number));
    }
  }
  return sum;
}
