import { byId } from './element.ts';

/** Widths at which the result stands below the settings, as in playground.css. */
const narrow = matchMedia('(max-width: 899px)');

/** The bar on a phone that states the result in words and leads to it, or back to the settings. */
export function createJumpBar() {
  const view = byId('view', HTMLElement);
  const link = byId('jump', HTMLAnchorElement);
  new IntersectionObserver(
    ([entry]) => {
      const isAtResult = entry?.isIntersecting === true;
      link.href = isAtResult ? '#form' : '#view';
      link.textContent = isAtResult ? 'Settings ↑' : 'Result ↓';
    },
    // The result counts as reached when it is in the middle of the screen.
    { rootMargin: '-45% 0px -45% 0px' },
  ).observe(view);

  return {
    show(text: string): void {
      byId('jump-text', HTMLElement).textContent = text;
    },
    /** Scrolls to the result where that stands below the settings. */
    leadToResult(): void {
      if (narrow.matches) view.scrollIntoView();
    },
  };
}
