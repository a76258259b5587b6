import { showForAMoment } from './for-a-moment.ts';

/**
 * Copies a text by a button, which says so for a moment.
 *
 * @returns whether the browser has copied it; otherwise the text is selected
 */
export async function writeToClipboard(text: HTMLElement, button: HTMLButtonElement): Promise<boolean> {
  const isCopied = await write(text);
  showForAMoment(button, isCopied ? 'Copied' : 'Press Ctrl C', 'Copy');
  return isCopied;
}

/** Without https browsers give pages no clipboard; then the text is selected instead. */
async function write(text: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text.textContent ?? '');
    return true;
  } catch {
    getSelection()?.selectAllChildren(text);
    return document.execCommand?.('copy') ?? false;
  }
}
