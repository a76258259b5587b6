import type { Size } from '../../image/shortest-edge.ts';
import { sizeInWords } from '../../image/words.ts';
import type { Colour, Framing, Window, Words } from './hypothesis.ts';

/*
 * A framing from its numbers, from which its id and its words follow.
 */

/** The parts of a framing that determine its pixels. */
type Frame = Pick<Framing, 'canvas' | 'box' | 'resized' | 'shown'>;

/** Makes a framing: equal frames of a source have equal ids and equal words. @param source - its size, upright */
export function framingOf(source: Size, frame: Frame): Framing {
  const { canvas, box, resized, shown } = frame;
  const base = canvas === undefined ? '' : windowId(source, canvas);
  const id = [base, ...box, resized.width, resized.height, windowId(resized, shown)].join(' ');
  return { ...frame, id, words: wordsOfFrame(source, frame) };
}

function wordsOfFrame(source: Size, { canvas, box, resized, shown }: Frame): Words {
  const base = canvas ?? source;
  const [left, top, right, bottom] = box;
  const part = { width: right - left, height: bottom - top };
  const isPart = part.width < base.width || part.height < base.height;
  const before = canvas && cropInWords(source, canvas);
  const after = cropInWords(resized, shown);
  const cropped = [
    ...(before === undefined || before === 'none' ? [] : [`${before}, before the resize`]),
    ...(isPart ? [`the centre in the shape of ${sizeInWords(resized)}, with the resize`] : []),
    ...(after === 'none' ? [] : [after]),
  ];
  const padBefore = canvas && padInWords(source, canvas);
  const padAfter = padInWords(resized, shown);
  const padded = [
    ...(padBefore === undefined || padBefore === 'none' ? [] : [`${padBefore}, before the resize`]),
    ...(padAfter === 'none' ? [] : [padAfter]),
  ];
  return {
    size: resizeInWords(part, resized, after !== 'none'),
    crop: cropped.length === 0 ? 'none' : cropped.join('; '),
    pad: padded.length === 0 ? 'none' : padded.join('; '),
  };
}

/** @param isCropped - whether a part is cut afterwards */
function resizeInWords(part: Size, resized: Size, isCropped: boolean): string {
  if (part.width === resized.width && part.height === resized.height) return 'not resized';
  const [across, down] = [resized.width / part.width, resized.height / part.height];
  // Sides may be rounded to multiples of a patch.
  if (Math.abs(across / down - 1) > keptRatio) return `${sizeInWords(resized)}, stretched`;
  if (!isCropped) return sizeInWords(resized);
  return `shorter side ${Math.min(resized.width, resized.height)}: ${sizeInWords(resized)}`;
}

/** All of a picture. */
export function wholeWindow({ width, height }: Size): Window {
  return { left: 0, top: 0, width, height, pad: black };
}

export const black: Colour = [0, 0, 0];

/** A picture whose aspect ratio changes by a smaller share is not called stretched. */
const keptRatio = 0.05;

function windowId(picture: Size, window: Window): string {
  const { left, top, width, height, pad } = window;
  return [left, top, width, height, ...(isPadded(picture, window) ? pad : [])].join(',');
}

/** Whether a window reaches beyond its picture. */
function isPadded(picture: Size, { left, top, width, height }: Window): boolean {
  return left < 0 || top < 0 || left + width > picture.width || top + height > picture.height;
}

/** A crop in words: where it begins, unless that is the centre. */
function cropInWords(picture: Size, window: Window): string {
  const { left, top, width, height } = window;
  if (left <= 0 && top <= 0 && width >= picture.width && height >= picture.height) return 'none';
  const isCentred = (surplus: number, from: number) => Math.abs(surplus / 2 - from) < 1;
  const centred = isCentred(picture.width - width, left) && isCentred(picture.height - height, top);
  const isEven = (picture.width - width) % 2 === 0 && (picture.height - height) % 2 === 0;
  const place = centred ? `${sizeInWords(window)} from the centre` : `${sizeInWords(window)}`;
  return centred && isEven ? place : `${place}, from column ${left}, row ${top}`;
}

/** A padding in words: its size, its colour and its side. */
function padInWords(picture: Size, window: Window): string {
  if (!isPadded(picture, window)) return 'none';
  const { left, top, width, height, pad } = window;
  const colour = pad.every((level) => level === pad[0]) ? String(pad[0]) : pad.join(', ');
  const isCentred = (surplus: number, from: number) => Math.abs(surplus / 2 - from) < 1;
  const side =
    isCentred(picture.width - width, left) && isCentred(picture.height - height, top)
      ? `${-left + 0} left, ${-top + 0} above`
      : left === 0 && top === 0
        ? 'right and below'
        : 'left and above';
  return `to ${sizeInWords({ width, height })} with ${colour}, ${side}`;
}
