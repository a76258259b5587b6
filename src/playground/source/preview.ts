import { byId } from '../page/element.ts';
import type { createStatus } from '../status/status.ts';
import type { createResultPanel } from '../view/result-panel.ts';
import type { ImageSource } from './source.ts';

/** Shows an image before it is processed, if what is shown is another one. */
export function createPreview(
  status: ReturnType<typeof createStatus>,
  resultPanel: ReturnType<typeof createResultPanel>,
) {
  /** The image whose preview or result is shown. */
  let shown: ImageSource | undefined;
  return {
    async show(next: ImageSource, signal: AbortSignal): Promise<void> {
      if (shown === next) return;
      status.forgetResult();
      const bitmap = await next.preview();
      if (signal.aborted || shown === next) return;
      shown = next;
      resultPanel.preview(bitmap, next.name);
      const note = byId('preview-note', HTMLElement);
      note.hidden = bitmap !== undefined || next.file === undefined;
      note.textContent = `This browser cannot draw ${next.name}. Its picture comes with the result, from the service.`;
    },
    /** The result of an image has taken the place of its preview. */
    replaceBy(result: ImageSource): void {
      shown = result;
    },
  };
}
