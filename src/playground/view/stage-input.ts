import type { Point } from './stage-geometry.ts';

/** Reacts to the pointer and to keys; points and distances are in CSS pixels of the stage. */
export interface StageActions {
  pan(dx: number, dy: number): void;
  /** @param at - the point that stays in its place; unset: the middle */
  zoomBy(factor: number, at?: Point): void;
  zoomTo(scale: number): void;
  /** Switches between the result's own size and a magnification. */
  magnifyAt(at: Point): void;
  showWhole(): void;
  /** Moves the slider. */
  splitAt(x: number): void;
  /** Shows the values of a point; undefined: of the middle. */
  readAt(at: Point | undefined): void;
  /** Whether a drag from this point moves the slider, the image, or neither. */
  dragKind(at: Point, pointerType: string): 'split' | 'pan' | undefined;
}

/** Factor of one step of zooming. */
export const zoomStep = 1.5;
/** CSS pixels that an arrow key moves the image. */
const panStep = 40;

/** Listens to the pointer, the wheel and the keys. */
export function listenToStage(stage: HTMLElement, actions: StageActions): void {
  listenToPointer(stage, actions);
  stage.addEventListener(
    'wheel',
    (event) => {
      // Without a modifier key or the focus, the wheel scrolls the page as usual.
      if (!event.ctrlKey && !event.metaKey && document.activeElement !== stage) return;
      event.preventDefault();
      actions.zoomBy(2 ** (-event.deltaY / 240), positionOf(stage, event));
    },
    { passive: false },
  );
  const keys: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => actions.pan(-panStep, 0),
    ArrowRight: () => actions.pan(panStep, 0),
    ArrowUp: () => actions.pan(0, -panStep),
    ArrowDown: () => actions.pan(0, panStep),
    '+': () => actions.zoomBy(zoomStep),
    '=': () => actions.zoomBy(zoomStep),
    '-': () => actions.zoomBy(1 / zoomStep),
    '0': () => actions.showWhole(),
    '1': () => actions.zoomTo(1),
  };
  stage.addEventListener('keydown', (event) => {
    // The slider has its own keys.
    if (event.target !== stage) return;
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (action === undefined) return;
    event.preventDefault();
    action();
  });
}

function listenToPointer(stage: HTMLElement, actions: StageActions): void {
  let drag: (Point & { readonly kind: 'split' | 'pan' }) | undefined;
  stage.addEventListener('pointerdown', (event) => {
    const at = positionOf(stage, event);
    const kind = actions.dragKind(at, event.pointerType);
    if (kind === undefined) return;
    drag = { kind, ...at };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener('pointermove', (event) => {
    const at = positionOf(stage, event);
    if (drag?.kind === 'split') actions.splitAt(at.x);
    if (drag?.kind === 'pan') {
      actions.pan(drag.x - at.x, drag.y - at.y);
      drag = { kind: 'pan', ...at };
    }
    actions.readAt(at);
  });
  for (const end of ['pointerup', 'pointercancel'] as const) {
    stage.addEventListener(end, () => {
      drag = undefined;
    });
  }
  stage.addEventListener('pointerleave', () => actions.readAt(undefined));
  stage.addEventListener('dblclick', (event) => actions.magnifyAt(positionOf(stage, event)));
}

function positionOf(stage: HTMLElement, event: MouseEvent): Point {
  const box = stage.getBoundingClientRect();
  return { x: event.clientX - box.left - stage.clientLeft, y: event.clientY - box.top - stage.clientTop };
}
