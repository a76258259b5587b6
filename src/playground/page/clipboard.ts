/** The timers that give buttons their words back. */
const resets = new WeakMap<HTMLButtonElement, ReturnType<typeof setTimeout>>();

/**
 * Copies a text by a button, which says so for a moment.
 *
 * @returns whether the browser has copied it; otherwise the text is selected
 */
export async function writeToClipboard(text: HTMLElement, button: HTMLButtonElement): Promise<boolean> {
  const isCopied = await write(text);
  button.textContent = isCopied ? 'Copied' : 'Press Ctrl C';
  // The timer of an earlier click would end this message early.
  clearTimeout(resets.get(button));
  const reset = () => {
    button.textContent = 'Copy';
  };
  resets.set(button, setTimeout(reset, 1500));
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
