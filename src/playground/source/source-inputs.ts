import { byId } from '../page/element.ts';

/** Reactions to the ways in which an image or a key is given. */
export interface SourceEvents {
  /** @param files - at least one */
  onFiles(files: readonly File[]): void;
  onUrl(url: string): void;
  onSample(): void;
  onKey(key: string): void;
  /** The form is submitted. */
  onRun(): void;
}

/** Listens to the fields of the source, to drops and pastes, and to the keys that start a call. */
export function listenToInputs(events: SourceEvents): void {
  listenToFields(events);
  byId('form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    events.onRun();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) events.onRun();
  });
  listenToTransfers(events);
}

function listenToFields({ onFiles, onUrl, onSample, onKey }: SourceEvents): void {
  const file = byId('file', HTMLInputElement);
  const url = byId('url', HTMLInputElement);
  const key = byId('key', HTMLInputElement);
  file.addEventListener('change', () => {
    const chosen = [...(file.files ?? [])];
    if (chosen.length > 0) onFiles(chosen);
    // The same file can be chosen again after it has changed.
    file.value = '';
  });
  const load = () => (url.value.trim() === '' ? url.focus() : onUrl(url.value.trim()));
  const enterKey = () => onKey(key.value.trim());
  byId('load', HTMLButtonElement).addEventListener('click', load);
  byId('sample', HTMLButtonElement).addEventListener('click', onSample);
  byId('use-key', HTMLButtonElement).addEventListener('click', enterKey);
  onEnter(url, load);
  onEnter(key, enterKey);
}

function onEnter(field: HTMLInputElement, act: () => void): void {
  field.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    act();
  });
}

function listenToTransfers(events: SourceEvents): void {
  const drop = byId('drop', HTMLElement);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drop.classList.remove('over');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    takeTransfer(event.dataTransfer, events);
  });
  document.addEventListener('paste', (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== 'file';
    if (isTyping && event.clipboardData?.files.length === 0) return;
    takeTransfer(event.clipboardData, events);
  });
}

/** Takes images, or else a link to one. */
function takeTransfer(data: DataTransfer | null, { onFiles, onUrl }: SourceEvents): void {
  const files = [...(data?.files ?? [])];
  if (files.length > 0) {
    onFiles(files);
    return;
  }
  const text = data?.getData('text').trim() ?? '';
  if (!/^https?:\/\/\S+$/i.test(text)) return;
  byId('url', HTMLInputElement).value = text;
  onUrl(text);
}
