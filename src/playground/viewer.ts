import type { Bitmap } from './bitmap.ts';
import { byId } from './element.ts';
import type { Placement } from './placement.ts';

/** One of the two images that are looked at. */
export interface Side {
  readonly label: string;
  readonly bitmap: Bitmap;
  /** Where it lies, in pixels of the result. */
  readonly placement: Placement;
  /** What is told of a pixel, in place of its colour. */
  readonly describe?: (x: number, y: number) => string;
}

/** What is on the stage. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  /** What lies under the slider's left part. */
  readonly left: Side | undefined;
  readonly right: Side;
  readonly mode: 'slider' | 'sides';
}

interface Rect {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const maxScale = 64;
const zoomStep = 1.5;
/** CSS pixels that an arrow key moves. */
const panStep = 40;

/** The stage with its two images, slider, zoom and the values under the pointer. */
export function createViewer() {
  const stage = byId('stage', HTMLElement);
  const readout = byId('readout', HTMLElement);
  const slider = byId('slider', HTMLInputElement);
  const zoomLevel = byId('zoom-level', HTMLElement);
  const part = (selector: string) => stage.querySelector<HTMLElement>(selector) as HTMLElement;
  const layers = { left: part('.layer[data-side=left]'), right: part('.layer[data-side=right]') };
  const tags = { left: part('.tag[data-side=left]'), right: part('.tag[data-side=right]') };
  const divider = part('.divider');

  let scene: Scene | undefined;
  let scale = 1;
  let isFitted = true;
  /** The point of the result that is in the middle of a pane. */
  let centre = { x: 0, y: 0 };

  function show(next: Scene): void {
    const isSameSize = scene?.width === next.width && scene.height === next.height;
    scene = next;
    for (const side of ['left', 'right'] as const) {
      const canvas = next[side]?.bitmap.canvas;
      layers[side].replaceChildren(...(canvas === undefined ? [] : [canvas]));
      tags[side].textContent = next[side]?.label ?? '';
    }
    stage.classList.add('filled');
    stage.dataset.mode = next.left === undefined ? 'single' : next.mode;
    if (isSameSize && !isFitted) draw();
    else showWhole();
    readAt(undefined);
  }

  /** Whether two images lie below one another, because the stage is narrow. */
  function isStacked(): boolean {
    return scene?.mode === 'sides' && stage.clientWidth < 560;
  }

  /** The one or two parts of the stage, in CSS pixels. */
  function panes(): { left: Rect; right: Rect } {
    const { clientWidth: width, clientHeight: height } = stage;
    const whole = { left: 0, top: 0, right: width, bottom: height };
    if (scene?.mode !== 'sides' || scene.left === undefined) return { left: whole, right: whole };
    if (isStacked()) {
      const middle = Math.round(height / 2);
      return { left: { ...whole, bottom: middle - 1 }, right: { ...whole, top: middle + 1 } };
    }
    const middle = Math.round(width / 2);
    return { left: { ...whole, right: middle - 1 }, right: { ...whole, left: middle + 1 } };
  }

  function showWhole(): void {
    if (scene === undefined) return;
    const { right: pane } = panes();
    isFitted = true;
    const margin = 12;
    scale = Math.min(
      (pane.right - pane.left - 2 * margin) / scene.width,
      (pane.bottom - pane.top - 2 * margin) / scene.height,
      maxScale,
    );
    if (!(scale > 0)) scale = 1;
    centre = { x: scene.width / 2, y: scene.height / 2 };
    draw();
  }

  function zoomTo(next: number, keep = centre): void {
    if (scene === undefined) return;
    const bounded = Math.min(maxScale, Math.max(0.02, next));
    const factor = scale / bounded;
    centre = { x: keep.x + (centre.x - keep.x) * factor, y: keep.y + (centre.y - keep.y) * factor };
    scale = bounded;
    isFitted = false;
    draw();
    readAt(undefined);
  }

  function pan(dx: number, dy: number): void {
    if (scene === undefined) return;
    const bounded = (at: number, length: number) => Math.min(length, Math.max(0, at));
    centre = {
      x: bounded(centre.x + dx / scale, scene.width),
      y: bounded(centre.y + dy / scale, scene.height),
    };
    isFitted = false;
    draw();
    readAt(undefined);
  }

  function draw(): void {
    if (scene === undefined) return;
    const both = panes();
    const split = (slider.valueAsNumber / 100) * stage.clientWidth;
    stage.classList.toggle('stacked', isStacked());
    for (const side of ['left', 'right'] as const) {
      const shown = scene[side];
      const canvas = shown?.bitmap.canvas;
      if (shown === undefined || canvas === undefined) continue;
      const origin = originOf(both[side]);
      const { placement, bitmap } = shown;
      const factorX = (scale * placement.width) / bitmap.width;
      const factorY = (scale * placement.height) / bitmap.height;
      const x = origin.x + placement.x * scale;
      const y = origin.y + placement.y * scale;
      canvas.style.transform = `translate(${x}px, ${y}px) scale(${factorX}, ${factorY})`;
      canvas.classList.toggle('crisp', factorX >= 1);
      layers[side].style.clipPath = inset(clipOf(side, both[side], origin, split));
    }
    divider.style.transform = `translateX(${split}px)`;
    zoomLevel.textContent = `${scale < 1 ? (100 * scale).toFixed(scale < 0.1 ? 1 : 0) : Math.round(100 * scale)} %`;
  }

  /** Where the result's first pixel is on the stage. */
  function originOf(pane: Rect): { x: number; y: number } {
    return {
      x: (pane.left + pane.right) / 2 - centre.x * scale,
      y: (pane.top + pane.bottom) / 2 - centre.y * scale,
    };
  }

  function clipOf(side: 'left' | 'right', pane: Rect, origin: { x: number; y: number }, split: number): Rect {
    if (scene === undefined || scene.mode === 'sides' || scene.left === undefined) return pane;
    // Under the slider only what is in the result can be compared with it.
    return {
      left: Math.max(pane.left, origin.x, side === 'right' ? split : 0),
      top: Math.max(pane.top, origin.y),
      right: Math.min(
        pane.right,
        origin.x + scene.width * scale,
        side === 'left' ? split : Number.POSITIVE_INFINITY,
      ),
      bottom: Math.min(pane.bottom, origin.y + scene.height * scale),
    };
  }

  function inset({ left, top, right, bottom }: Rect): string {
    const { clientWidth: width, clientHeight: height } = stage;
    const px = [top, width - right, height - bottom, left].map((length) => `${Math.max(0, length)}px`);
    return right <= left || bottom <= top ? 'inset(50%)' : `inset(${px.join(' ')})`;
  }

  /** The point of the result under a point of the stage. */
  function pointAt(stageX: number, stageY: number): { x: number; y: number } {
    const both = panes();
    const inLeft = stageX <= both.left.right && stageY <= both.left.bottom;
    const origin = originOf(inLeft ? both.left : both.right);
    return { x: (stageX - origin.x) / scale, y: (stageY - origin.y) / scale };
  }

  /** Tells the values of a point, or of the middle when the pointer is elsewhere. */
  function readAt(point: { x: number; y: number } | undefined): void {
    if (scene === undefined) return;
    const { x, y } = point ?? centre;
    const column = Math.min(scene.width - 1, Math.floor(x));
    const row = Math.min(scene.height - 1, Math.floor(y));
    if (column < 0 || row < 0 || x > scene.width || y > scene.height) return;
    const sides = [scene.left, scene.right].filter((side) => side !== undefined);
    readout.textContent = [
      `${point === undefined ? 'Middle: ' : ''}x ${column}, y ${row}`,
      ...sides.map((side) => `${side.label} ${describeAt(side, column + 0.5, row + 0.5)}`),
    ].join('   ·   ');
  }

  function local(event: PointerEvent | MouseEvent): { x: number; y: number } {
    const box = stage.getBoundingClientRect();
    return { x: event.clientX - box.left - stage.clientLeft, y: event.clientY - box.top - stage.clientTop };
  }

  let drag: { readonly kind: 'pan' | 'split'; x: number; y: number } | undefined;
  stage.addEventListener('pointerdown', (event) => {
    const { x, y } = local(event);
    const split = (slider.valueAsNumber / 100) * stage.clientWidth;
    const isSplit = stage.dataset.mode === 'slider' && Math.abs(x - split) < 18;
    if (!isSplit && isFitted && event.pointerType === 'touch') return;
    drag = { kind: isSplit ? 'split' : 'pan', x, y };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('pointermove', (event) => {
    const at = local(event);
    if (drag?.kind === 'split') setSplit((100 * at.x) / stage.clientWidth);
    if (drag?.kind === 'pan') {
      pan(drag.x - at.x, drag.y - at.y);
      drag = { kind: 'pan', ...at };
    }
    readAt(pointAt(at.x, at.y));
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    stage.addEventListener(end, () => {
      drag = undefined;
    });
  }
  stage.addEventListener('pointerleave', () => readAt(undefined));
  stage.addEventListener('dblclick', (event) => {
    const { x, y } = local(event);
    zoomTo(scale < 8 ? 8 : 1, pointAt(x, y));
  });
  stage.addEventListener(
    'wheel',
    (event) => {
      // Without a key or the focus the page scrolls, as everywhere.
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== stage) return;
      event.preventDefault();
      const { x, y } = local(event);
      zoomTo(scale * 2 ** (-event.deltaY / 240), pointAt(x, y));
    },
    { passive: false },
  );
  stage.addEventListener('keydown', (event) => {
    const actions: Readonly<Record<string, () => void>> = {
      ArrowLeft: () => pan(-panStep, 0),
      ArrowRight: () => pan(panStep, 0),
      ArrowUp: () => pan(0, -panStep),
      ArrowDown: () => pan(0, panStep),
      '+': () => zoomTo(scale * zoomStep),
      '=': () => zoomTo(scale * zoomStep),
      '-': () => zoomTo(scale / zoomStep),
      '0': showWhole,
      '1': () => zoomTo(1),
    };
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : actions[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });

  function setSplit(percent: number): void {
    slider.value = String(Math.min(100, Math.max(0, percent)));
    draw();
  }
  slider.addEventListener('input', draw);
  byId('zoom-in', HTMLButtonElement).addEventListener('click', () => zoomTo(scale * zoomStep));
  byId('zoom-out', HTMLButtonElement).addEventListener('click', () => zoomTo(scale / zoomStep));
  byId('zoom-one', HTMLButtonElement).addEventListener('click', () => zoomTo(1));
  byId('zoom-fit', HTMLButtonElement).addEventListener('click', showWhole);
  new ResizeObserver(() => (isFitted ? showWhole() : draw())).observe(stage);

  return {
    show,
    /** Takes the images away. */
    clear(): void {
      scene = undefined;
      for (const layer of Object.values(layers)) layer.replaceChildren();
      stage.classList.remove('filled');
      delete stage.dataset.mode;
    },
  };
}

/** A side's values at a point of the result. */
function describeAt({ bitmap, placement, describe }: Side, x: number, y: number): string {
  const column = Math.floor(((x - placement.x) / placement.width) * bitmap.width);
  const row = Math.floor(((y - placement.y) / placement.height) * bitmap.height);
  if (column < 0 || row < 0 || column >= bitmap.width || row >= bitmap.height) return 'outside';
  if (describe !== undefined) return describe(column, row);
  const at = 4 * (row * bitmap.width + column);
  const [red = 0, green = 0, blue = 0, alpha = 255] = bitmap.pixels.subarray(at, at + 4);
  const colour = red === green && green === blue ? `${red}` : `${red} ${green} ${blue}`;
  return alpha === 255 ? colour : `${colour} alpha ${alpha}`;
}
