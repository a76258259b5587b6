import { byId, element } from '../page/element.ts';
import { bytes } from '../page/figures.ts';
import type { ImageSource } from '../source/source.ts';
import { describeProgress } from '../status/progress-view.ts';
import type { ItemState } from './batch.ts';

interface Row {
  readonly item: HTMLElement;
  readonly button: HTMLButtonElement;
  readonly state: HTMLElement;
  kind: ItemState['kind'];
}

/**
 * The list of the images of the page, each with a thumbnail and the state of its call. It is shown if there are several.
 *
 * @param onSelect - called with the image that is to be shown
 * @param onRemove - called with the image that is to be removed
 */
export function createFileList(
  onSelect: (source: ImageSource) => void,
  onRemove: (source: ImageSource) => void,
) {
  const panel = byId('files', HTMLElement);
  const list = byId('file-list', HTMLElement);
  const summary = byId('files-summary', HTMLElement);
  const downloadAll = byId('download-all', HTMLButtonElement);
  const rows = new Map<ImageSource, Row>();

  function createRow(source: ImageSource): Row {
    const state = element('span', { class: 'file-state' });
    const button = element(
      'button',
      { type: 'button', class: 'file', title: source.name },
      thumbnail(source),
      element('span', { class: 'file-name' }, source.name),
      state,
    );
    button.addEventListener('click', () => onSelect(source));
    const remove = element(
      'button',
      { type: 'button', class: 'file-remove', 'aria-label': `Remove ${source.name}` },
      '×',
    );
    remove.addEventListener('click', () => onRemove(source));
    const item = element('li', {}, button, remove);
    return { item, button, state, kind: 'waiting' };
  }

  function showSummary(): void {
    const counts = Map.groupBy(rows.values(), ({ kind }) => kind);
    const done = counts.get('done')?.length ?? 0;
    const failed = counts.get('failed')?.length ?? 0;
    summary.textContent = `${done} of ${rows.size} images done${failed === 0 ? '' : `, ${failed} failed`}`;
    downloadAll.disabled = done === 0;
    downloadAll.textContent =
      done === rows.size || done === 0 ? 'Download all' : `Download ${done} of ${rows.size}`;
  }

  return {
    /** Lists images. */
    show(sources: readonly ImageSource[], selected: ImageSource): void {
      panel.hidden = sources.length < 2;
      for (const source of [...rows.keys()].filter((each) => !sources.includes(each))) rows.delete(source);
      for (const source of sources) if (!rows.has(source)) rows.set(source, createRow(source));
      const items = sources.flatMap((source) => rows.get(source)?.item ?? []);
      if (items.some((item, at) => list.children[at] !== item) || items.length !== list.children.length) {
        list.replaceChildren(...items);
      }
      for (const [source, { button }] of rows) {
        button.setAttribute('aria-current', String(source === selected));
      }
      showSummary();
    },
    /** Shows the state of one image. */
    update(source: ImageSource, state: ItemState): void {
      const row = rows.get(source);
      if (row === undefined) return;
      row.kind = state.kind;
      row.item.dataset.state = state.kind;
      row.state.textContent = describeState(state);
      showSummary();
    },
  };
}

function describeState(state: ItemState): string {
  switch (state.kind) {
    case 'waiting':
      return 'Waiting';
    case 'working':
      return describeProgress(state.progress).text;
    case 'paused':
      return 'Waits for the service';
    case 'done':
      return bytes(state.response.content.length);
    case 'failed':
      return state.problem.title;
    case 'cancelled':
      return 'Cancelled';
  }
}

/** A small picture, or the file's ending where the browser does not draw the format. */
function thumbnail({ name, file }: ImageSource): HTMLElement {
  const ending = file === undefined ? 'URL' : (/\.(\w{1,5})$/.exec(name)?.[1] ?? 'file').toUpperCase();
  const placeholder = element('span', { class: 'thumbnail', 'aria-hidden': 'true' }, ending);
  if (file === undefined) return placeholder;
  const url = URL.createObjectURL(file);
  const picture = element('img', { class: 'thumbnail', src: url, alt: '', decoding: 'async' });
  picture.addEventListener('load', () => URL.revokeObjectURL(url));
  picture.addEventListener('error', () => {
    URL.revokeObjectURL(url);
    picture.replaceWith(placeholder);
  });
  return picture;
}
