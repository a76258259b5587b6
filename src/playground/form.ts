import {
  datatypes,
  filters,
  fits,
  imageFormats,
  imageOptionNames,
  imageOptions,
  isOptionName,
  type OptionName,
  tensorContainers,
} from '../options/image-options.ts';
import { otherNumerics } from './compare-numerics.ts';
import { byId, element } from './element.ts';
import { showPreset } from './preset-field.ts';
import { isHidden, isWordExcluded } from './request.ts';
import { initialSettings, type Settings } from './settings.ts';

/** The words of each select, by the name of the field. */
const words: Readonly<Record<string, readonly string[]>> = {
  fit: fits,
  filter: filters,
  format: ['source', ...imageFormats],
  container: tensorContainers,
  datatype: datatypes,
  layout: imageOptions.layout.kind.words,
  channel_order: imageOptions.channel_order.kind.words,
  orientation: imageOptions.orientation.kind.words,
  alpha: imageOptions.alpha.kind.words,
};

/** The selects of which other settings can exclude words. */
const excludable = ['filter', 'datatype', 'alpha'] as const satisfies readonly OptionName[];

/** The form: reads and writes its settings, and shows the fields that have an effect. */
export function createForm(onChange: (field: string) => void) {
  const form = byId('form', HTMLFormElement);
  fillIn(form);
  let shownPreset: string | undefined;

  function read(): Settings {
    const data = new FormData(form);
    const entries = Object.entries(initialSettings).map(([name, initial]) => {
      if (typeof initial === 'boolean') return [name, data.has(name)];
      return [name, String(data.get(name) ?? initial).trim()];
    });
    return Object.fromEntries(entries) as Settings;
  }

  function write(settings: Settings): void {
    for (const [name, value] of Object.entries(settings)) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement && field.type === 'checkbox') field.checked = value === true;
      else if (isTextual(field) && field.value.trim() !== value) field.value = String(value);
    }
    show();
  }

  function show(): void {
    const settings = read();
    hideFields(form, settings);
    byId('difference-label', HTMLElement).textContent = `Exact − ${otherNumerics(settings)}`;
    if (settings.recipe === 'preset' && settings.preset !== shownPreset) {
      shownPreset = settings.preset;
      showPreset(shownPreset);
    }
  }

  form.addEventListener('input', (event) => {
    // Fields without a name belong to the source; they have buttons of their own.
    if (!(event.target instanceof HTMLElement) || !event.target.hasAttribute('name')) return;
    onChange(event.target.getAttribute('name') ?? '');
  });
  byId('imagenet', HTMLButtonElement).addEventListener('click', () => {
    const settings = read();
    write({
      ...settings,
      mean: settings.grayscale ? '0.449' : '0.485,0.456,0.406',
      std: settings.grayscale ? '0.226' : '0.229,0.224,0.225',
    });
    onChange('imagenet');
  });

  return { read, write, mark: (option: string | undefined) => markField(form, option) };
}

/** Whether a field has a text, or is a choice. Spaces at the end of a text are not part of its value. */
function isTextual(field: unknown): field is { value: string } {
  const kinds = [HTMLInputElement, HTMLSelectElement, HTMLTextAreaElement, RadioNodeList];
  return kinds.some((kind) => field instanceof kind);
}

/** Fills in words and ranges. */
function fillIn(form: HTMLFormElement): void {
  for (const field of form.elements) {
    const name = field.getAttribute('name') ?? '';
    if (field instanceof HTMLSelectElement && words[name] !== undefined) {
      field.append(...words[name].map((word) => element('option', {}, word)));
    }
    if (!(field instanceof HTMLInputElement) || !isOptionName(name)) continue;
    const { minimum, maximum, pattern } = imageOptions[name].kind.schema;
    if (field.type === 'number') [field.min, field.max] = [String(minimum), String(maximum)];
    if (pattern !== undefined) field.pattern = String(pattern);
  }
}

/** Hides fields, and disables words, that the other settings leave without effect. */
function hideFields(form: HTMLFormElement, settings: Settings): void {
  for (const part of form.querySelectorAll<HTMLElement>('[data-show]')) {
    const [name = '', values = ''] = (part.dataset.show ?? '').split('=');
    part.hidden = !values.split(',').includes(String(settings[name as keyof Settings]));
  }
  for (const part of form.querySelectorAll<HTMLElement>('[data-option]')) {
    part.hidden = isHidden(part.dataset.option as OptionName, settings);
  }
  for (const name of excludable) {
    for (const option of form.querySelectorAll<HTMLOptionElement>(`select[name=${name}] option`)) {
      option.disabled = isWordExcluded(name, option.value, settings);
    }
  }
  for (const choice of form.querySelectorAll<HTMLInputElement>('input[name=numerics]')) {
    choice.disabled = isWordExcluded('numerics', choice.value, settings);
  }
}

/** Marks the field of an option, by its name over HTTP or gRPC; undefined marks none. */
function markField(form: HTMLFormElement, option: string | undefined): void {
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
  const name = imageOptionNames.find((each) => each === option || imageOptions[each].field === option);
  const field = form.elements.namedItem(name ?? option ?? '');
  if (field instanceof HTMLElement) field.setAttribute('aria-invalid', 'true');
}
