import { byId, element } from './element.ts';
import { describePreset, findPreset, presets } from './preset-list.ts';
import { initialSettings, type Settings } from './settings.ts';

/** An OpenAPI document, as far as it is read here. */
interface OpenApi {
  readonly paths?: {
    readonly '/v1/images'?: {
      readonly get?: {
        readonly parameters?: readonly {
          readonly name: string;
          readonly schema?: { readonly default?: unknown };
        }[];
        readonly security?: readonly unknown[];
      };
    };
  };
}

/** The form: its settings, and which of its fields have a meaning. */
export function createForm(onChange: () => void) {
  const form = byId('form', HTMLFormElement);
  byId('presets', HTMLDataListElement).append(
    ...presets.map(({ name }) => element('option', { value: name })),
  );

  function read(): Settings {
    const data = new FormData(form);
    const entries = Object.entries(initialSettings).map(([name, initial]) => {
      if (typeof initial === 'boolean') return [name, data.has(name)];
      return [name, String(data.get(name) ?? initial).trim()];
    });
    return Object.fromEntries(entries) as Settings;
  }

  function write(settings: Partial<Settings>): void {
    for (const [name, value] of Object.entries(settings)) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement && field.type === 'checkbox') field.checked = value === true;
      else if (field !== null && 'value' in field) field.value = String(value);
    }
    show();
  }

  /** Hides what has no meaning with the other settings. */
  function show(): void {
    const settings: Readonly<Record<string, unknown>> = { ...read() };
    for (const part of form.querySelectorAll<HTMLElement>('[data-show]')) {
      const [name = '', values = ''] = (part.dataset.show ?? '').split('=');
      part.hidden = !values.split(',').includes(String(settings[name]));
    }
    const preset = findPreset(String(settings.preset));
    byId('preset-summary', HTMLElement).textContent =
      preset === undefined ? 'Not one of those that come with the service.' : describePreset(preset);
  }

  form.addEventListener('input', (event) => {
    // The source's fields have buttons of their own.
    if (!(event.target instanceof HTMLElement) || !event.target.hasAttribute('name')) return;
    show();
    onChange();
  });
  byId('imagenet', HTMLButtonElement).addEventListener('click', () => {
    const gray = read().grayscale;
    write({ mean: gray ? '0.449' : '0.485,0.456,0.406', std: gray ? '0.226' : '0.229,0.224,0.225' });
    onChange();
  });

  write(initialSettings);
  return {
    read,
    write,
    /** Points at the field of an option, or at none. */
    mark(option: string | undefined): void {
      for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
      if (option === undefined) return;
      const id = option
        .replace(/^crop\./, 'crop_')
        .replace('rescale_factor', 'rescale')
        .replaceAll('_', '-');
      form.querySelector(`#${CSS.escape(id)}`)?.setAttribute('aria-invalid', 'true');
    },
  };
}

/** The defaults in force at this service, and whether it asks for a key, from its own description. */
export async function readService(url: string): Promise<{ defaults: Partial<Settings>; needsKey: boolean }> {
  try {
    const response = await fetch(url);
    const operation = ((await response.json()) as OpenApi).paths?.['/v1/images']?.get;
    const of = new Map(operation?.parameters?.map(({ name, schema }) => [name, schema?.default]));
    const text = (name: string) => (of.get(name) === undefined ? {} : { [name]: String(of.get(name)) });
    const defaults: Partial<Settings> = {
      sizing: of.get('scale') === false ? 'source' : 'box',
      ...(typeof of.get('grayscale') === 'boolean' ? { grayscale: of.get('grayscale') === true } : {}),
      ...text('width'),
      ...text('height'),
      ...text('fit'),
      ...text('filter'),
      ...text('format'),
      ...text('quality'),
      ...text('numerics'),
    };
    return { defaults, needsKey: (operation?.security?.length ?? 0) > 0 };
  } catch {
    // The first call will say what is wrong.
    return { defaults: {}, needsKey: false };
  }
}
