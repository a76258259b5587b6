import { byId, element } from '../page/element.ts';
import { loadCatalogue } from './preset-catalogue.ts';
import { type PresetFamily, searchPresets } from './preset-search.ts';

/** Names of each family in the list; typing narrows it. */
const namesPerFamily = 12;

/**
 * A field for the name of a preset: a combobox with a list that is grouped by family (WAI-ARIA 1.2, combobox with a
 * listbox popup).
 *
 * @param id - of the input; its list has the same id with `-list` at its end
 * @param onChoose - called with a name that is chosen from the list, or typed and entered
 */
export function createPresetField(id: string, onChoose: (name: string) => void) {
  const input = byId(id, HTMLInputElement);
  const list = byId(`${id}-list`, HTMLElement);
  let chosen = '';
  let options: HTMLElement[] = [];
  let active = -1;
  /** Counts the openings: closing makes the last one out of date. */
  let opening = 0;
  let opened: Promise<void> | undefined;

  /** Opens the list for a text, unless the field is left or another text is typed while the presets are loaded. */
  async function open(text: string): Promise<void> {
    opening += 1;
    const own = opening;
    const presets = await loadCatalogue().catch(() => []);
    if (own === opening) fill(searchPresets(presets, text, namesPerFamily));
  }

  function fill(families: readonly PresetFamily[]): void {
    list.replaceChildren(...families.map((family, at) => groupOf(`${id}-${at}`, family, choose)));
    if (families.length === 0) list.append(element('p', { class: 'note' }, 'No preset has these words.'));
    options = [...list.querySelectorAll<HTMLElement>('[role=option]')];
    list.hidden = false;
    input.setAttribute('aria-expanded', 'true');
    const current = options.findIndex(({ textContent }) => textContent === input.value);
    activate(current === -1 ? 0 : current);
  }

  function close(): void {
    opening += 1;
    opened = undefined;
    list.hidden = true;
    options = [];
    active = -1;
    input.setAttribute('aria-expanded', 'false');
    input.removeAttribute('aria-activedescendant');
  }

  function activate(index: number): void {
    options[active]?.removeAttribute('aria-selected');
    active = Math.min(options.length - 1, Math.max(0, index));
    const option = options[active];
    if (option === undefined) return;
    option.setAttribute('aria-selected', 'true');
    option.scrollIntoView({ block: 'nearest' });
    input.setAttribute('aria-activedescendant', option.id);
  }

  function choose(name: string): void {
    chosen = name;
    input.value = name;
    close();
    onChoose(name);
  }

  /** Leaves the field: an unknown name is reported by the service, which knows the nearest; other texts are undone. */
  function leave(): void {
    const text = input.value.trim();
    const isNone = options.length === 0 && !list.hidden;
    close();
    if (isNone && text !== '' && text !== chosen) choose(text);
    else input.value = chosen;
  }

  const show = (text: string): void => {
    opened = open(text);
  };
  const keys: Readonly<Record<string, () => void | Promise<void>>> = {
    ArrowDown: () => (list.hidden ? show('') : activate(active + 1)),
    ArrowUp: () => (list.hidden ? show('') : activate(active - 1)),
    PageDown: () => activate(active + 8),
    PageUp: () => activate(active - 8),
    Escape() {
      input.value = chosen;
      close();
    },
    async Enter() {
      // Typed faster than the presets are loaded.
      await opened;
      const name = options[active]?.textContent ?? input.value.trim();
      if (name !== '') choose(name);
    },
  };
  input.addEventListener('keydown', (event) => {
    const action = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    // A closed list leaves Enter to the form.
    if (action === undefined || (list.hidden && !event.key.startsWith('Arrow') && input.value === chosen))
      return;
    event.preventDefault();
    void action();
  });
  input.addEventListener('input', (event) => {
    // A half-typed name is no choice yet.
    event.stopPropagation();
    show(input.value);
  });
  input.addEventListener('click', () => {
    if (!list.hidden) return;
    input.select();
    show('');
  });
  input.addEventListener('blur', leave);
  // A press on the list would take the focus from the field, and so close the list.
  list.addEventListener('mousedown', (event) => event.preventDefault());

  return {
    /** The name that is chosen: not what is being typed. */
    read: (): string => chosen,
    write(name: string): void {
      chosen = name;
      if (document.activeElement !== input || list.hidden) input.value = name;
    },
  };
}

function groupOf(
  id: string,
  { family, names, total }: PresetFamily,
  choose: (name: string) => void,
): HTMLElement {
  const count = names.length < total ? `${names.length} of ${total.toLocaleString('en')}` : String(total);
  const options = names.map((name, index) => {
    const option = element('div', { role: 'option', id: `${id}-${index}` }, name);
    option.addEventListener('click', () => choose(name));
    return option;
  });
  return element(
    'div',
    { role: 'group', 'aria-labelledby': id },
    element('p', { id, class: 'family', role: 'presentation' }, `${family} `, element('small', {}, count)),
    ...options,
  );
}
