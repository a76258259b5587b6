import type { createStackPanel } from '../compare/stack-panel.ts';
import { byId, element } from '../page/element.ts';
import { bytes } from '../page/figures.ts';
import type { SkewPresentation } from '../skew/present-skew.ts';
import type { createSkewPanel } from '../skew/skew-panel.ts';
import type { State } from '../state/state.ts';
import type { View } from '../state/view.ts';
import type { Bitmap } from './bitmap.ts';
import { showChannels } from './channels.ts';
import { showGallery } from './gallery.ts';
import type { Presentation } from './presentation.ts';
import type { createViewer } from './viewer.ts';

/** The panel of the result in its views. @param onRemove - called with the name of a preset of the gallery */
export function createResultPanel(
  viewer: ReturnType<typeof createViewer>,
  stackPanel: ReturnType<typeof createStackPanel>,
  skewPanel: ReturnType<typeof createSkewPanel>,
  onRemove: (name: string) => void,
) {
  function showSkew(presentation: SkewPresentation): void {
    const { scene } = presentation;
    for (const id of ['warning', 'stack', 'channels', 'gallery-panel']) show(id, false);
    for (const id of ['stage', 'readout']) show(id, scene !== undefined);
    for (const button of document.querySelectorAll<HTMLElement>('.zoom')) button.hidden = scene === undefined;
    if (scene === undefined) viewer.clear();
    else viewer.show(scene);
    skewPanel.show(presentation);
  }

  return {
    /** Removes the report on another program's tensor, and its pictures. */
    forgetSkew(): void {
      viewer.clear();
      show('readout', false);
      skewPanel.forget();
    },
    /** Shows an image that is not processed yet; undefined for one that the browser cannot draw. */
    preview(bitmap: Bitmap | undefined, name: string): void {
      for (const id of ['warning', 'stack', 'legend', 'channels', 'gallery-panel']) show(id, false);
      skewPanel.forget();
      show('stage', true);
      show('readout', bitmap !== undefined);
      if (bitmap === undefined) {
        viewer.clear();
        return;
      }
      const { width, height } = bitmap;
      const sides = [{ label: name, bitmap, placement: { x: 0, y: 0, width, height } }];
      viewer.show({ width, height, mode: 'sides', sides });
    },
    /** @param state - of the presentation's response */
    show(presentation: Presentation | SkewPresentation, { settings }: State): void {
      const { view } = presentation;
      byId('view', HTMLElement).dataset.view = view;
      markView(view);
      if (presentation.view === 'skew') {
        showSkew(presentation);
        return;
      }
      const { warning } = presentation;
      skewPanel.hide();
      show('warning', warning !== undefined);
      byId('warning', HTMLElement).textContent = warning ?? '';
      const hasScene = 'scene' in presentation;
      show('stage', hasScene);
      for (const button of document.querySelectorAll<HTMLElement>('.zoom')) button.hidden = !hasScene;
      show('stack', view === 'stack');
      show('legend', view === 'stack');
      show('channels', 'planes' in presentation || 'tensors' in presentation);
      show('gallery-panel', 'gallery' in presentation);
      show('readout', hasScene || 'planes' in presentation);
      if (!hasScene) viewer.clear();
      if ('scene' in presentation) {
        viewer.show(presentation.scene);
        const { comparison, possible } = presentation;
        if (comparison === undefined) return;
        stackPanel.choose(comparison.rival, possible ?? []);
        stackPanel.note(comparison);
        stackPanel.show(comparison, settings);
      } else if ('planes' in presentation) {
        showChannels(presentation.planes, presentation.channelNames);
      } else if ('gallery' in presentation) {
        showGallery(presentation.gallery, onRemove);
      } else {
        showTensors(presentation.tensors);
      }
    },
  };
}

/** Marks the tab of a view. */
export function markView(view: View): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[name=view]')) {
    input.checked = input.value === view;
  }
}

function show(id: string, isShown: boolean): void {
  byId(id, HTMLElement).hidden = !isShown;
}

/** Lists tensors that are no single image. */
function showTensors(tensors: Extract<Presentation, { tensors: unknown }>['tensors']): void {
  const rows = tensors.map(({ name, datatype, shape, bytes: length }) =>
    element(
      'div',
      {},
      element('dt', {}, name),
      element('dd', {}, `${datatype} [${shape.join(', ')}], ${bytes(Number(length))}`),
    ),
  );
  byId('channels', HTMLElement).replaceChildren(
    element(
      'p',
      { class: 'note' },
      'The tensors of this preset are not one image of channels. They are not drawn.',
    ),
    element('dl', { class: 'rows' }, ...rows),
  );
}
