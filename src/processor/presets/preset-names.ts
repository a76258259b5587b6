import { Failure } from '../../failures.ts';
import { nearestNames } from '../../nearest-names.ts';
import { shortened } from '../../shortened.ts';
import { families, type Preset } from './preset.ts';

/** Finds presets by the names that people paste. */
export interface PresetNames {
  /**
   * The preset that a name means, in upper or lower case: its name or an alias; without its organization if only one
   * preset of the hub has that name; with `hf-hub:`, `hf_hub:` or `https://huggingface.co/` before its id.
   *
   * @throws PRESET_UNKNOWN with the nearest names, also for a name that several presets have
   */
  find(given: string): Preset;
  /** All names of a preset other than its own. */
  aliasesOf(preset: Preset): readonly string[];
}

/** The prefixes that timm, open_clip and browsers put before the id of a model on the hub. */
const hubPrefix = /^(?:hf[-_]hub:|https:\/\/huggingface\.co\/)/i;

/** Names in a hint. */
const mostHints = 5;

/**
 * @param presets - a name or alias that several of them have belongs to the last
 */
export function createPresetNames(presets: readonly Preset[]): PresetNames {
  const byName = new Map<string, Preset>();
  const byBareName = new Map<string, Set<Preset>>();
  for (const preset of presets) {
    for (const name of [preset.name, ...preset.aliases]) byName.set(keyOf(name), preset);
    if (!families[preset.family].isOnHub) continue;
    const bare = bareOf(keyOf(preset.name));
    byBareName.set(bare, (byBareName.get(bare) ?? new Set()).add(preset));
  }

  function candidates(given: string): ReadonlySet<Preset> {
    const key = keyOf(given.trim().replace(hubPrefix, ''));
    const named = byName.get(key);
    if (hubPrefix.test(given.trim())) {
      const isHubId = key.includes('/') && named !== undefined && families[named.family].isOnHub;
      return new Set(isHubId ? [named] : []);
    }
    return named === undefined ? (byBareName.get(key) ?? new Set()) : new Set([named]);
  }

  return {
    find(given) {
      const [preset, ...others] = candidates(given);
      if (preset === undefined)
        throw unknownPreset(given, hintsFor(given, byName, byBareName), presets.length);
      if (others.length > 0) throw ambiguousPreset(given, [preset, ...others]);
      return preset;
    },
    aliasesOf(preset) {
      const { name, aliases } = preset;
      const all = new Map(
        [...aliases, name.slice(name.lastIndexOf('/') + 1)].map((alias) => [keyOf(alias), alias]),
      );
      all.delete(keyOf(name));
      return [...all.values()].filter((alias) => {
        const found = candidates(alias);
        return found.size === 1 && found.has(preset);
      });
    },
  };
}

/** Names with equal keys are equal. torchvision's weights may be written without `_Weights`. */
export function keyOf(name: string): string {
  return name.toLowerCase().replace('_weights.', '.');
}

function bareOf(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1);
}

/** The presets that an unknown name may mean: those of the same name elsewhere, then of similar names, then of longer ones. */
function hintsFor(
  given: string,
  byName: ReadonlyMap<string, Preset>,
  byBareName: ReadonlyMap<string, ReadonlySet<Preset>>,
): Preset[] {
  const key = keyOf(given.trim().replace(hubPrefix, ''));
  // Longer than any name.
  if (key.length > 120) return [];
  const bare = bareOf(key);
  const presetsOf = (name: string): Preset[] => {
    const preset = byName.get(name);
    return preset === undefined ? [...(byBareName.get(name) ?? [])] : [preset];
  };
  const sameElsewhere = [...(byBareName.get(bare) ?? []), ...presetsOf(bare)];
  if (sameElsewhere.length > 0) return distinct(sameElsewhere);
  const names = [...byName.keys()];
  const similar = [
    ...nearestNames(key, names, mistakesIn(key)),
    ...nearestNames(bare, [...byBareName.keys()], mistakesIn(bare)),
  ].flatMap(presetsOf);
  if (similar.length > 0) return distinct(similar);
  return bare.length < 3 ? [] : distinct(names.filter((name) => name.includes(bare)).flatMap(presetsOf));
}

/** The most wrong letters in a name that is only misspelt. It bounds the time of a hint to a few milliseconds. */
function mistakesIn(name: string): number {
  return Math.min(4, Math.max(1, Math.ceil(name.length / 3)));
}

function distinct(presets: readonly Preset[]): Preset[] {
  return [...new Set(presets)].slice(0, mostHints);
}

function unknownPreset(given: string, hints: readonly Preset[], presets: number): Failure {
  const nearest = hints.map(({ name }) => name).join(', ');
  const hint =
    nearest === '' ? `There are ${presets} others; /v1/presets lists them.` : `Nearest to it: ${nearest}.`;
  return new Failure('PRESET_UNKNOWN', `There is no preset "${shortened(given)}". ${hint}`, {
    preset: shortened(given),
    nearest,
  });
}

function ambiguousPreset(given: string, presets: readonly Preset[]): Failure {
  const nearest = presets.map(({ name }) => name).join(', ');
  return new Failure(
    'PRESET_UNKNOWN',
    `The name "${shortened(given)}" belongs to several presets. Send one of them with its organization: ${nearest}.`,
    { preset: shortened(given), nearest },
  );
}
