import { byId } from '../page/element.ts';
import { bytes } from '../page/figures.ts';
import type { Progress } from '../service/upload.ts';

/** The state of a call in words, and the share that is done; undefined where no share is known. */
export function describeProgress(progress: Progress): { readonly text: string; readonly share?: number } {
  if (progress.phase === 'processing') {
    return { text: progress.work === 'search' ? 'Looking for the cause…' : 'Processing…' };
  }
  const verb = progress.phase === 'sending' ? 'Uploading' : 'Receiving';
  const { bytes: done, total } = progress;
  if (total === undefined || total === 0) return { text: `${verb} ${bytes(done)}…` };
  const share = Math.min(1, done / total);
  return { text: `${verb} ${Math.floor(100 * share)} % of ${bytes(total)}`, share };
}

/**
 * The bar that shows how far the call for the selected image has come.
 *
 * @param onCancel - called by its button and by the Escape key
 */
export function createProgressView(onCancel: () => void) {
  const box = byId('progress', HTMLElement);
  const bar = byId('progress-bar', HTMLProgressElement);
  const text = byId('progress-text', HTMLElement);
  byId('cancel', HTMLButtonElement).addEventListener('click', onCancel);
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && !box.hidden && !event.defaultPrevented) onCancel();
  });
  return {
    /** Shows a state; undefined hides the bar. */
    show(progress: Progress | undefined): void {
      box.hidden = progress === undefined;
      if (progress === undefined) return;
      const described = describeProgress(progress);
      text.textContent = described.text;
      if (described.share === undefined) bar.removeAttribute('value');
      else bar.value = described.share;
    },
  };
}
