import { element } from '../page/element.ts';
import { origin } from '../service/origin.ts';
import { breakable, table } from './elements.ts';

/** From the last keystroke to the request, in milliseconds. */
const typingPauseMs = 200;

/** A preset as `GET /v1/presets` lists it. */
interface Preset {
  readonly name: string;
  readonly family: string;
  readonly numerics: readonly string[];
  readonly outputs: readonly string[];
}

/** The searchable list of the presets of this instance. A preset's name opens what it does. */
export function presetsSection(): HTMLElement {
  const input = element('input', { type: 'search', id: 'preset-words', spellcheck: 'false' });
  const list = element('div', { id: 'preset-list', 'aria-live': 'polite' });
  const details = element('div', { id: 'preset-details' });
  let typed = new AbortController();
  const search = (): void => {
    typed.abort();
    typed = new AbortController();
    const { signal } = typed;
    setTimeout(() => {
      if (!signal.aborted) void fillList(list, details, input.value, signal);
    }, typingPauseMs);
  };
  input.addEventListener('input', search);
  search();
  return element(
    'section',
    { class: 'operation', id: 'presets' },
    element('h2', {}, 'Presets'),
    element('label', { for: 'preset-words' }, "Words of a model's name, or of its library"),
    input,
    list,
    details,
  );
}

async function fillList(
  list: HTMLElement,
  details: HTMLElement,
  words: string,
  signal: AbortSignal,
): Promise<void> {
  try {
    const query = new URLSearchParams({ q: words, limit: '10' });
    const page = (await readJson(`v1/presets?${query}`, signal)) as {
      readonly presets: readonly Preset[];
      readonly next_cursor?: string;
    };
    const rows = page.presets.map(({ name, family, numerics, outputs }) => [
      nameButton(name, details),
      family,
      numerics.join(', '),
      outputs.join(', '),
    ]);
    const more =
      page.next_cursor === undefined ? [] : [element('p', { class: 'note' }, 'There are more: add words.')];
    list.replaceChildren(
      ...(rows.length === 0
        ? [element('p', { class: 'note' }, 'No preset has these words.')]
        : [table(['Name', 'Family', 'Numerics', 'Outputs'], rows)]),
      ...more,
    );
  } catch (error) {
    if (!signal.aborted) list.replaceChildren(element('p', { class: 'note' }, messageOf(error)));
  }
}

function nameButton(name: string, details: HTMLElement): HTMLElement {
  const button = element('button', { type: 'button', class: 'quiet' }, breakable(name));
  button.addEventListener('click', () => void fillDetails(details, name));
  return button;
}

async function fillDetails(details: HTMLElement, name: string): Promise<void> {
  try {
    const { steps, python } = (await readJson(`v1/presets/${encodeURIComponent(name)}`)) as {
      readonly steps: readonly string[];
      readonly python: string;
    };
    details.replaceChildren(
      element('h3', {}, name),
      element('ol', { class: 'steps' }, ...steps.map((step) => element('li', {}, step))),
      element('pre', { tabindex: '0', 'aria-label': 'Python' }, element('code', {}, python)),
    );
    details.scrollIntoView({ block: 'nearest' });
  } catch (error) {
    details.replaceChildren(element('p', { class: 'note' }, messageOf(error)));
  }
}

/** @throws Error with the detail of a problem */
async function readJson(path: string, signal?: AbortSignal): Promise<unknown> {
  const response = await fetch(`${origin}/${path}`, { signal: signal ?? null });
  const value: unknown = await response.json();
  if (response.ok) return value;
  const { detail = `The response has the status ${response.status}.` } = value as {
    readonly detail?: string;
  };
  throw new Error(detail);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
