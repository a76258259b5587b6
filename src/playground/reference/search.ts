import { element } from '../page/element.ts';

/** A section of the page in the list of contents. */
interface Entry {
  /** The id of the section. */
  readonly href: string;
  readonly label: readonly (Node | string)[];
  /** All text by which it is found. */
  readonly words: string;
}

/** Fills the list of contents, with a field that leaves the sections that contain all of its words. */
export function setUpSearch(contents: HTMLElement, entries: readonly Entry[]): void {
  const input = element('input', { type: 'search', id: 'search', spellcheck: 'false' });
  const found = element('p', { class: 'note', role: 'status' });
  const items = entries.map(({ href, label, words }) => ({
    item: element('li', {}, element('a', { href: `docs#${href}` }, ...label)),
    section: document.getElementById(href),
    text: words.toLowerCase(),
  }));
  input.addEventListener('input', () => {
    const words = input.value.toLowerCase().split(/\s+/);
    let count = 0;
    for (const { item, section, text } of items) {
      const isFound = words.every((word) => text.includes(word));
      item.hidden = !isFound;
      if (section !== null) section.hidden = !isFound;
      if (isFound) count++;
    }
    for (const tag of document.querySelectorAll<HTMLElement>('.chapter')) tag.hidden = input.value !== '';
    found.textContent = input.value === '' ? '' : `${count} of ${items.length} sections`;
  });
  contents.replaceChildren(
    element('label', { for: 'search' }, 'Search'),
    input,
    found,
    element('ul', {}, ...items.map(({ item }) => item)),
  );
}
