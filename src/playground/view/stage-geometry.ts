import type { Scene } from './scene.ts';

/*
 * Positions on the stage, in CSS pixels from its upper left corner.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const maxScale = 64;
const minScale = 0.02;
/** Between an image that is shown whole and the edge of its pane. */
const margin = 12;
/** Between two panes. */
const gap = 2;
/** Stages narrower than this show two images one above the other. */
const minWidthOfPair = 560;

/** Whether the images are one above the other. */
export function isStacked(scene: Scene, stage: Size): boolean {
  return scene.mode === 'sides' && scene.sides.length > 1 && stage.width < minWidthOfPair;
}

/** The pane of each image. Under the slider, each is the whole stage. */
export function panesOf(scene: Scene, stage: Size): readonly Rect[] {
  const whole = { left: 0, top: 0, right: stage.width, bottom: stage.height };
  const { length } = scene.sides;
  if (scene.mode === 'slider') return scene.sides.map(() => whole);
  if (!isStacked(scene, stage)) return columns(whole, length);
  const middle = Math.round(stage.height / 2);
  const upper = { ...whole, bottom: middle - gap / 2 };
  const lower = { ...whole, top: middle + gap / 2 };
  const marked = scene.sides.findIndex(({ isLargest }) => isLargest);
  // The last one, which the others explain, is the largest unless another one is marked.
  return columns(upper, length - 1).toSpliced(marked === -1 ? length - 1 : marked, 0, lower);
}

function columns({ left, top, right, bottom }: Rect, count: number): Rect[] {
  const width = (right - left + gap) / count;
  return Array.from({ length: count }, (_, index) => ({
    left: Math.round(left + index * width),
    top,
    right: Math.round(left + (index + 1) * width - gap),
    bottom,
  }));
}

/** The scale at which a result is shown whole in a pane. */
export function fittingScale(result: Size, pane: Rect): number {
  const scale = Math.min(
    (pane.right - pane.left - 2 * margin) / result.width,
    (pane.bottom - pane.top - 2 * margin) / result.height,
    maxScale,
  );
  return scale > 0 ? scale : 1;
}

/** A scale within the limits of zooming. */
export function boundedScale(scale: number): number {
  return Math.min(maxScale, Math.max(minScale, scale));
}

/** The position of the result's first pixel. @param centre - the point of the result in the middle of the pane */
export function originOf(pane: Rect, centre: Point, scale: number): Point {
  return {
    x: (pane.left + pane.right) / 2 - centre.x * scale,
    y: (pane.top + pane.bottom) / 2 - centre.y * scale,
  };
}

/**
 * The part of a pane in which one image is visible. Under the slider that is at most the result's own area.
 *
 * @param split - position of the slider
 */
export function visiblePart(
  scene: Scene,
  index: number,
  pane: Rect,
  origin: Point,
  scale: number,
  split: number,
): Rect {
  if (scene.mode === 'sides') return pane;
  return {
    left: Math.max(pane.left, origin.x, index === 1 ? split : 0),
    top: Math.max(pane.top, origin.y),
    right: Math.min(
      pane.right,
      origin.x + scene.width * scale,
      index === 0 ? split : Number.POSITIVE_INFINITY,
    ),
    bottom: Math.min(pane.bottom, origin.y + scene.height * scale),
  };
}

/** A rectangle of the stage as a CSS `inset()`. */
export function insetOf({ left, top, right, bottom }: Rect, stage: Size): string {
  const lengths = [top, stage.width - right, stage.height - bottom, left];
  const px = lengths.map((length) => `${Math.max(0, length)}px`);
  return right <= left || bottom <= top ? 'inset(50%)' : `inset(${px.join(' ')})`;
}
