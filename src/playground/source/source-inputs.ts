import { byId } from '../page/element.ts';

/** Reactions to the ways in which an image or a key is given. */
export interface SourceEvents {
  /**
   * @param files - at least one
   * @param isGiven - whether they are dropped on the place for what another program made
   */
  onFiles(files: readonly File[], isGiven: boolean): void;
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
    if (chosen.length > 0) onFiles(chosen, false);
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
  const given = byId('given-drop', HTMLElement);
  /** Marks the place that the files would go to. */
  const mark = (isOver: boolean, isGiven: boolean) => {
    drop.classList.toggle('over', isOver && !isGiven);
    given.classList.toggle('over', isOver && isGiven);
  };
  const isOnGiven = ({ target }: Event) => target instanceof Node && given.contains(target);
  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    mark(true, isOnGiven(event));
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) mark(false, false);
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    mark(false, false);
    takeTransfer(event.dataTransfer, events, isOnGiven(event));
  });
  document.addEventListener('paste', (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== 'file';
    if (isTyping && event.clipboardData?.files.length === 0) return;
    takeTransfer(event.clipboardData, events, false);
  });
}

/** Takes images, or else a link to one. */
function takeTransfer(data: DataTransfer | null, { onFiles, onUrl }: SourceEvents, isGiven: boolean): void {
  const files = [...(data?.files ?? [])];
  if (files.length > 0) {
    onFiles(files, isGiven);
    return;
  }
  const text = data?.getData('text').trim() ?? '';
  if (!/^https?:\/\/\S+$/i.test(text)) return;
  byId('url', HTMLInputElement).value = text;
  onUrl(text);
}
