import { byId, element } from '../page/element.ts';
import { describeAt, type Scene } from './scene.ts';
import {
  boundedScale,
  fittingScale,
  insetOf,
  isStacked,
  originOf,
  type Point,
  panesOf,
  type Rect,
  visiblePart,
} from './stage-geometry.ts';
import { listenToStage, zoomStep } from './stage-input.ts';

/** Distance from the slider, in CSS pixels, within which a drag moves it. */
const sliderReach = 18;
/** Scale of a double click. */
const magnification = 8;

/** The stage with its images, the slider, the zoom and the values under the pointer. */
export function createViewer() {
  const stage = byId('stage', HTMLElement);
  const readout = byId('readout', HTMLElement);
  const slider = byId('slider', HTMLInputElement);
  const zoomLevel = byId('zoom-level', HTMLElement);
  const images = byId('stage-images', HTMLElement);
  const divider = byId('divider', HTMLElement);
  let layers: { readonly layer: HTMLElement; readonly tag: HTMLElement }[] = [];

  let scene: Scene | undefined;
  let scale = 1;
  let isFitted = true;
  /** The point of the result in the middle of a pane. */
  let centre: Point = { x: 0, y: 0 };

  const stageSize = () => ({ width: stage.clientWidth, height: stage.clientHeight });
  const split = () => (slider.valueAsNumber / 100) * stage.clientWidth;

  function show(next: Scene): void {
    const isSameSize = scene?.width === next.width && scene.height === next.height;
    scene = next;
    layers = next.sides.map(({ bitmap, label }) => ({
      layer: element('div', { class: 'layer' }, bitmap.canvas),
      tag: element('p', { class: 'tag', 'aria-hidden': 'true' }, label),
    }));
    images.replaceChildren(...layers.map(({ layer }) => layer), ...layers.map(({ tag }) => tag));
    stage.classList.add('filled');
    stage.dataset.mode = next.mode;
    if (isSameSize && !isFitted) draw();
    else showWhole();
    readAt(undefined);
  }

  function showWhole(): void {
    if (scene === undefined) return;
    const shown = scene;
    isFitted = true;
    const panes = panesOf(scene, stageSize());
    scale = Math.min(...panes.map((pane) => fittingScale(shown, pane)));
    centre = { x: scene.width / 2, y: scene.height / 2 };
    draw();
  }

  /** @param keep - the point of the result that stays in its place */
  function zoomTo(next: number, keep = centre): void {
    const bounded = boundedScale(next);
    const factor = scale / bounded;
    const moved = { x: keep.x + (centre.x - keep.x) * factor, y: keep.y + (centre.y - keep.y) * factor };
    moveTo(moved, bounded);
  }

  function pan(dx: number, dy: number): void {
    if (scene === undefined) return;
    const bounded = (at: number, length: number) => Math.min(length, Math.max(0, at));
    moveTo({
      x: bounded(centre.x + dx / scale, scene.width),
      y: bounded(centre.y + dy / scale, scene.height),
    });
  }

  function moveTo(nextCentre: Point, nextScale = scale): void {
    if (scene === undefined) return;
    centre = nextCentre;
    scale = nextScale;
    isFitted = false;
    draw();
    readAt(undefined);
  }

  function draw(): void {
    if (scene === undefined) return;
    stage.classList.toggle('stacked', isStacked(scene, stageSize()));
    const panes = panesOf(scene, stageSize());
    for (const [index, pane] of panes.entries()) drawSide(scene, index, pane);
    divider.style.transform = `translateX(${split()}px)`;
    zoomLevel.textContent = `${scale < 1 ? (100 * scale).toFixed(scale < 0.1 ? 1 : 0) : Math.round(100 * scale)} %`;
  }

  function drawSide(drawn: Scene, index: number, pane: Rect): void {
    const [side, parts] = [drawn.sides[index], layers[index]];
    if (side === undefined || parts === undefined) return;
    const { placement, bitmap } = side;
    const origin = originOf(pane, centre, scale);
    const factorX = (scale * placement.width) / bitmap.width;
    const factorY = (scale * placement.height) / bitmap.height;
    const x = origin.x + placement.x * scale;
    const y = origin.y + placement.y * scale;
    bitmap.canvas.style.transform = `translate(${x}px, ${y}px) scale(${factorX}, ${factorY})`;
    bitmap.canvas.classList.toggle('crisp', factorX >= 1);
    const visible = visiblePart(drawn, index, pane, origin, scale, split());
    parts.layer.style.clipPath = insetOf(visible, stageSize());
    const isRight = drawn.mode === 'slider' && index === 1;
    parts.tag.classList.toggle('right', isRight);
    parts.tag.style.translate = isRight ? '' : `${pane.left}px ${pane.top}px`;
  }

  /** The point of the result under a point of the stage. */
  function resultPoint({ x, y }: Point): Point {
    if (scene === undefined) return centre;
    const panes = panesOf(scene, stageSize());
    const pane = panes.find(({ right, bottom }) => x <= right && y <= bottom) ?? panes.at(-1);
    if (pane === undefined) return centre;
    const origin = originOf(pane, centre, scale);
    return { x: (x - origin.x) / scale, y: (y - origin.y) / scale };
  }

  /** Shows the values of a point of the result; undefined: of the middle. */
  function readAt(point: Point | undefined): void {
    if (scene === undefined) return;
    const { x, y } = point ?? centre;
    const column = Math.min(scene.width - 1, Math.floor(x));
    const row = Math.min(scene.height - 1, Math.floor(y));
    if (column < 0 || row < 0 || x > scene.width || y > scene.height) return;
    readout.textContent = [
      `${point === undefined ? 'Middle: ' : ''}x ${column}, y ${row}`,
      ...scene.sides.map((side) => `${side.label} ${describeAt(side, column + 0.5, row + 0.5)}`),
    ].join('   ·   ');
  }

  listenToStage(stage, {
    pan,
    zoomBy: (factor, at) => zoomTo(scale * factor, at && resultPoint(at)),
    zoomTo: (next) => zoomTo(next),
    magnifyAt: (at) => zoomTo(scale < magnification ? magnification : 1, resultPoint(at)),
    showWhole,
    splitAt(x) {
      slider.value = String(Math.min(100, Math.max(0, (100 * x) / stage.clientWidth)));
      draw();
    },
    readAt: (at) => readAt(at && resultPoint(at)),
    dragKind({ x }, pointerType) {
      if (stage.dataset.mode === 'slider' && Math.abs(x - split()) < sliderReach) return 'split';
      return isFitted && pointerType === 'touch' ? undefined : 'pan';
    },
  });
  slider.addEventListener('input', draw);
  byId('zoom-in', HTMLButtonElement).addEventListener('click', () => zoomTo(scale * zoomStep));
  byId('zoom-out', HTMLButtonElement).addEventListener('click', () => zoomTo(scale / zoomStep));
  byId('zoom-one', HTMLButtonElement).addEventListener('click', () => zoomTo(1));
  byId('zoom-fit', HTMLButtonElement).addEventListener('click', showWhole);
  new ResizeObserver(() => (isFitted ? showWhole() : draw())).observe(stage);

  return {
    show,
    /** Removes the images. */
    clear(): void {
      scene = undefined;
      layers = [];
      images.replaceChildren();
      stage.classList.remove('filled');
      delete stage.dataset.mode;
    },
  };
}
