import { element } from '../page/element.ts';

/** A table whose rows have headers. */
export function table(heads: readonly string[], rows: readonly (readonly (Node | string)[])[]): HTMLElement {
  return scrolling(
    element(
      'table',
      { class: 'reference-table' },
      element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
      element(
        'tbody',
        {},
        ...rows.map((cells) =>
          element(
            'tr',
            {},
            ...cells.map((cell, index) =>
              index === 0
                ? element('th', { scope: 'row' }, cell)
                : element('td', { 'data-head': heads[index] }, cell),
            ),
          ),
        ),
      ),
    ),
    heads.join(', '),
  );
}

/** A box that scrolls its own content where that is too wide, with the keyboard as well. */
export function scrolling(inner: HTMLElement, label: string): HTMLElement {
  return element('div', { class: 'scrolling', tabindex: '0', role: 'region', 'aria-label': label }, inner);
}

/** An HTTP method as a badge. */
export function badge(method: string): HTMLElement {
  return element('span', { class: `method ${method.toLowerCase()}` }, method);
}

/** A path with possible line breaks after its slashes and dots. */
export function breakable(path: string): HTMLElement {
  const parts = path.split(/(?<=[/.])/).flatMap((part) => [part, element('wbr')]);
  return element('span', {}, ...parts);
}
