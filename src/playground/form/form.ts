import type { GetPresetResponse } from '../../../gen/image/v1/processor_pb.ts';
import { NumericsSchema } from '../../../gen/image/v1/processor_pb.ts';
import {
  imageOptionNames,
  imageOptions,
  isOptionName,
  type OptionName,
} from '../../options/image-options.ts';
import { byId, element } from '../page/element.ts';
import { problemOfConfig, readConfigFile } from '../presets/config-file.ts';
import { showPresetDetails } from '../presets/preset-details.ts';
import { createPresetField } from '../presets/preset-field.ts';
import { findPreset } from '../presets/preset-list.ts';
import type { Problem } from '../service/problem.ts';
import { isHidden, isWordExcluded } from './request.ts';
import { initialSettings, type Settings, settingWords } from './settings.ts';

/** The selects of which other settings can exclude words. */
const excludable = ['filter', 'datatype', 'alpha', 'numerics'] as const satisfies readonly OptionName[];

/** The form: reads and writes its settings, and shows the fields that have an effect. */
export function createForm(onChange: (field?: string) => void) {
  const form = byId('form', HTMLFormElement);
  fillIn(form);
  let details: GetPresetResponse | undefined;
  let shownPreset: string | undefined;

  function read(): Settings {
    const data = new FormData(form);
    const entries = Object.entries(initialSettings).map(([name, initial]) => {
      if (typeof initial === 'boolean') return [name, data.has(name)];
      return [name, String(data.get(name) ?? initial).trim()];
    });
    return { ...(Object.fromEntries(entries) as Settings), preset: presetField.read() };
  }

  function write(settings: Settings): void {
    for (const [name, value] of Object.entries(settings)) {
      const field = form.elements.namedItem(name);
      if (field instanceof HTMLInputElement && field.type === 'checkbox') field.checked = value === true;
      else if (name !== 'preset' && isTextual(field) && field.value.trim() !== value)
        field.value = String(value);
    }
    presetField.write(settings.preset);
    show();
  }

  function show(): void {
    const settings = read();
    hideFields(form, settings, details);
    showConfigProblem(
      settings.recipe === 'config' ? problemOfConfig(settings.preprocessor_config) : undefined,
    );
    if (settings.recipe !== 'preset' || settings.preset === shownPreset) return;
    shownPreset = settings.preset;
    details = undefined;
    showPresetDetails(shownPreset, (received) => {
      details = received;
      hideFields(form, read(), details);
    });
  }

  const presetField = createPresetField('preset', (preset) => {
    // Another preset may have neither the settings nor the numerics of the last one.
    write({ ...read(), preset, numerics: initialSettings.numerics, imgsz: '', stride: '', rect: false });
    onChange();
  });
  form.addEventListener('input', (event) => {
    // Fields without a name belong to the source; they have buttons of their own.
    if (!(event.target instanceof HTMLElement) || !event.target.hasAttribute('name')) return;
    onChange(event.target.getAttribute('name') ?? undefined);
  });
  byId('imagenet', HTMLButtonElement).addEventListener('click', () => {
    const settings = read();
    write({
      ...settings,
      mean: settings.grayscale ? '0.449' : '0.485,0.456,0.406',
      std: settings.grayscale ? '0.226' : '0.229,0.224,0.225',
    });
    onChange();
  });

  async function useConfig(file: File): Promise<void> {
    try {
      const text = await readConfigFile(file);
      write({ ...read(), recipe: 'config', preprocessor_config: text });
      onChange();
    } catch (error) {
      write({ ...read(), recipe: 'config' });
      showConfigProblem(error instanceof Error ? error.message : 'The file cannot be read.');
    }
  }
  const file = byId('config-file', HTMLInputElement);
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) void useConfig(chosen);
    file.value = '';
  });

  return {
    read,
    write,
    useConfig,
    /** Marks the field that a problem is about; undefined marks none. */
    mark(problem: Problem | undefined): void {
      const isConfig = read().recipe === 'config';
      const ofPreset = problem?.reason.startsWith('PRESET_') === true ? 'preset' : undefined;
      const option = problem?.metadata.option ?? ofPreset;
      const isOfConfig = isConfig && (option === 'preset' || option === 'preprocessor_config');
      markField(form, isOfConfig ? 'preprocessor_config' : option);
      if (isOfConfig) showConfigProblem(problem?.message);
    },
  };
}

/** Shows what is wrong with a configuration, beside its field. */
function showConfigProblem(text: string | undefined): void {
  byId('config-problem', HTMLElement).textContent = text ?? '';
}

/** Whether a field has a text, or is a choice. Spaces at the end of a text are not part of its value. */
function isTextual(field: unknown): field is { value: string } {
  const kinds = [HTMLInputElement, HTMLSelectElement, HTMLTextAreaElement, RadioNodeList];
  return kinds.some((kind) => field instanceof kind);
}

/** The words of a select: those of the form's own choice, or of the option in the table. */
function wordsOf(name: string): readonly string[] {
  const own = settingWords[name as keyof Settings];
  if (own !== undefined) return own;
  if (!isOptionName(name)) return [];
  const { kind } = imageOptions[name];
  return 'words' in kind ? kind.words : [];
}

/** Fills in words and ranges. */
function fillIn(form: HTMLFormElement): void {
  for (const field of form.elements) {
    const name = field.getAttribute('name') ?? '';
    if (field instanceof HTMLSelectElement && field.length === 0) {
      field.append(...wordsOf(name).map((word) => element('option', {}, word)));
    }
    if (!(field instanceof HTMLInputElement) || !isOptionName(name)) continue;
    const { minimum, maximum, pattern } = imageOptions[name].kind.schema;
    if (field.type === 'number') {
      field.min = String(minimum ?? '');
      field.max = String(maximum ?? '');
    } else if (pattern !== undefined) {
      field.pattern = String(pattern);
    }
  }
}

/** Hides fields, and disables words, that the other settings leave without effect. */
function hideFields(form: HTMLFormElement, settings: Settings, details: GetPresetResponse | undefined): void {
  for (const part of form.querySelectorAll<HTMLElement>('[data-show]')) {
    const [name = '', values = ''] = (part.dataset.show ?? '').split('=');
    part.hidden = !values.split(',').includes(String(settings[name as keyof Settings]));
  }
  for (const part of form.querySelectorAll<HTMLElement>('[data-option]')) {
    part.hidden = isHidden(part.dataset.option as OptionName, settings);
  }
  const ownSettings = settings.recipe === 'preset' ? (findPreset(settings.preset)?.settings ?? []) : [];
  for (const part of form.querySelectorAll<HTMLElement>('[data-preset-setting]')) {
    part.hidden = !ownSettings.includes(part.dataset.presetSetting ?? '');
  }
  byId('preset-settings', HTMLElement).hidden = ownSettings.length === 0;
  const numerics = numericsOf(settings, details);
  for (const name of excludable) {
    for (const option of form.querySelectorAll<HTMLOptionElement>(`select[name=${name}] option`)) {
      const isOther = name === 'numerics' && numerics !== undefined && !numerics.includes(option.value);
      option.disabled = isOther || isWordExcluded(name, option.value, settings);
    }
  }
}

/** The numerics that the preset of the settings has; undefined if all can be tried. */
function numericsOf({ recipe, preset }: Settings, details: GetPresetResponse | undefined) {
  const described = details?.preset;
  if (recipe !== 'preset' || described === undefined) return undefined;
  const isSame = [described.name, ...described.aliases].some(
    (name) => name.toLowerCase() === preset.toLowerCase(),
  );
  if (!isSame) return undefined;
  return ['exact', ...described.numerics.map((each) => NumericsSchema.value[each]?.localName.toLowerCase())];
}

/** Marks the field of an option, by its name over HTTP or gRPC; undefined marks none. */
function markField(form: HTMLFormElement, option: string | undefined): void {
  for (const field of form.querySelectorAll('[aria-invalid]')) field.removeAttribute('aria-invalid');
  const name = imageOptionNames.find((each) => each === option || imageOptions[each].field === option);
  const field = form.elements.namedItem(name ?? option ?? '');
  if (field instanceof HTMLElement) field.setAttribute('aria-invalid', 'true');
}
