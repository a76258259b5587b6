import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { durationWords, progressLine, showProgress } from '../../../src/client/job/progress.ts';

describe(progressLine, () => {
  it('shows share, rate, remaining time and failures', () => {
    expect(progressLine({ total: 500, done: 120, failed: 5 }, 12.5)).toBe(
      '125 of 500 (25 %), 13/s, 30 s left, 5 failed',
    );
    expect(progressLine({ total: 3, done: 0, failed: 0 }, 0)).toBe('0 of 3 (0 %), 0.0/s, time left unknown');
    expect(progressLine({ total: 3, done: 3, failed: 0 }, 0.5)).toBe('3 of 3 (100 %), 0.5/s, 0 s left');
  });

  it('shows bytes, and failures by reason with the most frequent first', () => {
    const reasons = new Map([
      ['ORIGIN_STATUS', 1],
      ['ORIGIN_TIMEOUT', 4],
    ]);
    expect(progressLine({ total: 10, done: 5, failed: 5, bytes: 1536, reasons }, 1)).toBe(
      '10 of 10 (100 %), 1.0/s, 0 s left, 1.5 KiB, 5 failed (4 ORIGIN_TIMEOUT, 1 ORIGIN_STATUS)',
    );
  });

  it('draws a bar as wide as the terminal allows, and none where there is no room', () => {
    const counts = { total: 4, done: 1, failed: 0 };
    expect(progressLine(counts, 1, 200)).toBe(
      `${'█'.repeat(8)}${'░'.repeat(22)} 1 of 4 (25 %), 1.0/s, 3 s left`,
    );
    expect(progressLine(counts, 1, 42)).toMatch(/^█{3}░{7} 1 of 4 \(25 %\), 1\.0\/s, 3 s left$/);
    expect(progressLine(counts, 1, 20)).toBe('1 of 4 (25 %), 1.0/');
  });
});

describe(durationWords, () => {
  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [187, '3:07 min'],
    [7500, '2:05:00 h'],
  ])('says %i seconds as %s', (seconds, words) => {
    expect(durationWords(seconds)).toBe(words);
  });
});

describe(showProgress, () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function screenOf(isTTY: boolean) {
    const written: string[] = [];
    const lines: string[] = [];
    const screen = { isTTY, columns: 100, write: (text: string) => void written.push(text) };
    return { written, lines, screen, say: (line: string) => void lines.push(line) };
  }

  it('prints a plain line every few seconds where there is no terminal, with the rate of the last ten', () => {
    const { written, lines, screen, say } = screenOf(false);
    using progress = showProgress(screen, say);
    progress.update({ total: 100, done: 10, failed: 0 });
    vi.advanceTimersByTime(5_000);
    progress.update({ total: 100, done: 60, failed: 0 });
    vi.advanceTimersByTime(10_000);
    expect(lines).toEqual([
      '10 of 100 (10 %), 2.0/s, 45 s left',
      '60 of 100 (60 %), 6.0/s, 7 s left',
      '60 of 100 (60 %), 5.0/s, 8 s left',
    ]);
    expect(written).toEqual([]);
  });

  it('redraws on a terminal, puts lines above the bar, and wipes it at the end', () => {
    const { written, lines, screen, say } = screenOf(true);
    const progress = showProgress(screen, say);
    progress.update({ total: 2, done: 0, failed: 0 });
    vi.advanceTimersByTime(100);
    progress.say('a line');
    expect(lines).toEqual(['a line']);
    // Wiped before the line, drawn again after it.
    expect(written.slice(-2)).toEqual(['\r\u001b[K', expect.stringContaining('0 of 2')]);
    expect(written.filter((text) => text.includes('0 of 2')).length).toBe(3);
    progress[Symbol.dispose]();
    expect(written.at(-1)).toBe('\r\u001b[K');
    const { length } = written;
    vi.advanceTimersByTime(1_000);
    expect(written.length).toBe(length);
  });

  it('prints only the lines of the job itself when it is quiet', () => {
    const { lines, say } = screenOf(false);
    using progress = showProgress(undefined, say);
    progress.update({ total: 2, done: 1, failed: 0 });
    vi.advanceTimersByTime(60_000);
    expect(lines).toEqual([]);
    progress.say('an error');
    expect(lines).toEqual(['an error']);
  });
});
