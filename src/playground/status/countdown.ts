import { byId } from '../page/element.ts';

/**
 * The time until a call is repeated.
 *
 * @param onNow - called if the visitor does not want to wait
 */
export function createCountdown(onNow: () => void) {
  const box = byId('countdown', HTMLElement);
  const text = byId('countdown-text', HTMLElement);
  let timer: ReturnType<typeof setInterval> | undefined;
  byId('retry-now', HTMLButtonElement).addEventListener('click', onNow);

  return {
    /** @param untilMs - in milliseconds of `performance.now()`; undefined hides the countdown */
    show(untilMs: number | undefined): void {
      clearInterval(timer);
      box.hidden = untilMs === undefined;
      if (untilMs === undefined) return;
      const tick = () => {
        const seconds = Math.max(0, Math.ceil((untilMs - performance.now()) / 1000));
        text.textContent = `The service asked to wait. The next attempt is in ${seconds} s.`;
      };
      tick();
      timer = setInterval(tick, 250);
    },
  };
}
