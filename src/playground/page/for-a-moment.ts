/** The timers that give elements their own words back. */
const resets = new WeakMap<Labelled, ReturnType<typeof setTimeout>>();

interface Labelled {
  textContent: string | null;
}

const momentMs = 1500;

/** Shows words in an element for a moment, from the last call on, and then its own words. */
export function showForAMoment(element: Labelled, words: string, own: string): void {
  element.textContent = words;
  // The timer of an earlier call would end this message early.
  clearTimeout(resets.get(element));
  const reset = () => {
    element.textContent = own;
  };
  resets.set(element, setTimeout(reset, momentMs));
}
