import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeToClipboard } from '../../../src/playground/page/clipboard.ts';

describe(writeToClipboard, () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal('navigator', { clipboard: { writeText: async () => {} } });
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it('says so by the button for a moment, from the last click on', async () => {
    const button = { textContent: 'Copy' } as HTMLButtonElement;
    const text = { textContent: 'curl' } as HTMLElement;
    expect(await writeToClipboard(text, button)).toBe(true);
    vi.advanceTimersByTime(1400);
    await writeToClipboard(text, button);
    vi.advanceTimersByTime(1400);
    expect(button.textContent).toBe('Copied');
    vi.advanceTimersByTime(100);
    expect(button.textContent).toBe('Copy');
  });
});
