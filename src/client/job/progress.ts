import { bytesInWords } from './summary.ts';

/** The window of the rate, in milliseconds. */
const windowMs = 10_000;

/** The progress of a job. */
export interface Counts {
  /** Images of this run. */
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Failed images by reason. */
  readonly reasons?: ReadonlyMap<string, number>;
  /** Of the results so far. */
  readonly bytes?: number;
}

/** The stream that progress is written to: standard error. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** The display of a running job. */
export interface Progress extends Disposable {
  update(counts: Counts): void;
  /** Prints a permanent line, above the bar if there is one. */
  say(line: string): void;
}

/**
 * Shows progress: a bar on a terminal, elsewhere a line every few seconds.
 *
 * @param screen - undefined for a quiet job, which still prints lines
 * @param say - prints a line
 * @param nowMs - the clock
 */
export function showProgress(
  screen: Screen | undefined,
  say: (line: string) => void,
  { barMs = 100, lineMs = 5_000, nowMs = () => performance.now() } = {},
): Progress {
  const isBar = screen?.isTTY === true;
  const samples: { readonly atMs: number; readonly settled: number }[] = [{ atMs: nowMs(), settled: 0 }];
  let counts: Counts | undefined;
  const wipe = () => isBar && screen.write('\r\u001b[K');
  const draw = () => {
    if (screen === undefined || counts === undefined) return;
    // Some terminals report 0 columns.
    const width = isBar ? screen.columns || 80 : undefined;
    const line = progressLine(counts, rateOf(samples, counts, nowMs()), width);
    if (isBar) screen.write(`\r\u001b[K${line}`);
    else say(line);
  };
  const timer = screen === undefined ? undefined : setInterval(draw, isBar ? barMs : lineMs);
  timer?.unref();
  return {
    update(newer) {
      counts = newer;
      if (isBar && samples.length === 1 && newer.done + newer.failed === 0) draw();
    },
    say(line) {
      wipe();
      say(line);
      if (isBar) draw();
    },
    [Symbol.dispose]() {
      clearInterval(timer);
      wipe();
    },
  };
}

/** Images per second, over the window. */
function rateOf(
  samples: { atMs: number; settled: number }[],
  { done, failed }: Counts,
  atMs: number,
): number {
  const settled = done + failed;
  samples.push({ atMs, settled });
  while (samples.length > 2 && atMs - (samples[1]?.atMs ?? atMs) >= windowMs) samples.shift();
  const [oldest] = samples;
  if (oldest === undefined || atMs === oldest.atMs) return 0;
  return (1000 * (settled - oldest.settled)) / (atMs - oldest.atMs);
}

/**
 * A job's progress as text: share, rate, time left, failures.
 *
 * @param rate - images per second
 * @param columns - width of the terminal, for a bar; undefined for a line without one
 */
export function progressLine(
  { total, done, failed, reasons, bytes }: Counts,
  rate: number,
  columns?: number,
): string {
  const settled = done + failed;
  const share = total === 0 ? 1 : settled / total;
  const speed = `${rate >= 10 ? Math.round(rate) : rate.toFixed(1)}/s`;
  const left = rate > 0 ? `${durationWords(Math.ceil((total - settled) / rate))} left` : 'time left unknown';
  const kinds = reasons === undefined || reasons.size === 0 ? '' : ` (${reasonsInWords(reasons)})`;
  const failures = failed === 0 ? '' : `, ${failed} failed${kinds}`;
  const size = bytes === undefined ? '' : `, ${bytesInWords(bytes)}`;
  const words = `${settled} of ${total} (${Math.floor(100 * share)} %), ${speed}, ${left}${size}${failures}`;
  if (columns === undefined) return words;
  const room = Math.min(30, columns - words.length - 2);
  if (room < 5) return words.slice(0, columns - 1);
  const full = Math.round(room * share);
  return `${'█'.repeat(full)}${'░'.repeat(room - full)} ${words}`;
}

/** The most frequent reasons first: `12 ORIGIN_TIMEOUT, 3 ORIGIN_STATUS`. */
export function reasonsInWords(reasons: ReadonlyMap<string, number>): string {
  const sorted = [...reasons].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1));
  return sorted.map(([reason, count]) => `${count} ${reason}`).join(', ');
}

/** Seconds as 42 s, 3:07 min or 2:05:00 h. */
export function durationWords(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  const [h, min, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  if (h > 0) return `${h}:${two(min)}:${two(s)} h`;
  return min > 0 ? `${min}:${two(s)} min` : `${s} s`;
}
