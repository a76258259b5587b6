import { byId } from '../page/element.ts';
import type { Problem } from '../service/problem.ts';
import type { Pause } from '../service/retries.ts';
import type { Progress } from '../service/upload.ts';
import { createCountdown } from './countdown.ts';
import { fillProblemBox } from './problem-box.ts';
import { createProgressView } from './progress-view.ts';

/** Reactions to the buttons of the status. */
interface StatusEvents {
  /** The visitor cancels the call. */
  onCancel(): void;
  /** The visitor does not want to wait for the next attempt. */
  onRetry(): void;
  /** The visitor chooses a preset that a problem offers. */
  onPreset(name: string): void;
}

/** The state of the call for the image that is shown: its progress, a wait, a problem, and whether the result is former. */
export function createStatus({ onCancel, onRetry, onPreset }: StatusEvents) {
  const view = byId('view', HTMLElement);
  const progress = createProgressView(onCancel);
  const countdown = createCountdown(onRetry);
  let hasResult = false;

  /** Marks what is shown as out of date, in words too; undefined: it is up to date. */
  function setStale(reason: string | undefined): void {
    view.classList.toggle('stale', reason !== undefined);
    byId('facts', HTMLElement).hidden = reason !== undefined;
    byId('no-facts', HTMLElement).hidden = reason === undefined;
    const note = byId('stale-note', HTMLElement);
    note.hidden = reason === undefined;
    note.textContent = hasResult ? `${reason} The former result is shown pale.` : (reason ?? '');
    if (reason !== undefined) byId('download', HTMLElement).hidden = true;
  }

  function end(): void {
    delete view.dataset.busy;
    progress.show(undefined);
    countdown.show(undefined);
  }

  return {
    /** @param next - how far the call has come */
    working(next: Progress): void {
      view.dataset.busy = '';
      progress.show(next);
      countdown.show(undefined);
    },
    paused({ problem, untilMs }: Pause): void {
      end();
      fillProblemBox(problem, onPreset);
      countdown.show(untilMs);
      setStale('No result yet.');
    },
    failed(problem: Problem): void {
      end();
      fillProblemBox(problem, onPreset);
      byId('preview-note', HTMLElement).hidden = true;
      setStale('No result for these settings.');
      // Without a former result the problem says it all.
      byId('stale-note', HTMLElement).hidden = !hasResult;
    },
    cancelled(): void {
      end();
      setStale('Cancelled. Press Process to send it again.');
    },
    done(): void {
      end();
      hasResult = true;
      byId('preview-note', HTMLElement).hidden = true;
      fillProblemBox(undefined, onPreset);
      setStale(undefined);
    },
    /** The result of another image is no longer shown. */
    forgetResult(): void {
      hasResult = false;
      fillProblemBox(undefined, onPreset);
      setStale(undefined);
      byId('download', HTMLElement).hidden = true;
    },
  };
}
