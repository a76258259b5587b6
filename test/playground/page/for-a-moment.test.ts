import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { showForAMoment } from '../../../src/playground/page/for-a-moment.ts';

describe(showForAMoment, () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('counts the moment from the last call', () => {
    const button = { textContent: 'Copy' };
    showForAMoment(button, 'Copied', 'Copy');
    vi.advanceTimersByTime(1400);
    showForAMoment(button, 'Copied', 'Copy');
    vi.advanceTimersByTime(1400);
    expect(button.textContent).toBe('Copied');
    vi.advanceTimersByTime(100);
    expect(button.textContent).toBe('Copy');
  });
});
