import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../../environment.ts';
import { Failure } from '../../failures.ts';
import { nearestNames } from '../../nearest-names.ts';
import { maxConfigBytes, parsePreprocessorConfig } from './parse-preprocessor-config.ts';
import type { PresetPlan } from './preset-plan.ts';
import { shippedPresets } from './shipped-presets.ts';
import { torchvisionPresets } from './torchvision-presets.ts';

/** The presets that a request may name. Names are case-insensitive. */
export interface Presets {
  /** @throws PRESET_UNKNOWN with the nearest names */
  find(name: string): PresetPlan;
  /** All names, in alphabetical order. */
  names(): readonly string[];
}

/**
 * Collects the shipped presets, torchvision's, which can be named with `_Weights` or without, and those of a directory,
 * which override the others: `<name>.json` or `<name>/preprocessor_config.json`.
 *
 * @param directory - read once, now
 * @throws EnvironmentError with a line for every file of the directory that is not a supported preset
 */
export function createPresets({ directory }: { directory?: string | undefined }): Presets {
  const own = directory === undefined ? [] : readPresets(directory);
  const presets = new Map(
    [...shippedPresets, ...torchvisionPresets, ...own].map(([name, plan]) => [keyOf(name), { name, plan }]),
  );
  const names = Array.from(presets.values(), ({ name }) => name).sort((a, b) => a.localeCompare(b, 'en'));

  return {
    find(name) {
      const preset = presets.get(keyOf(name));
      if (preset === undefined) throw unknownPreset(name, names);
      return preset.plan;
    },
    names: () => names,
  };
}

function keyOf(name: string): string {
  return name.toLowerCase().replace('_weights.', '.');
}

function unknownPreset(name: string, names: readonly string[]): Failure {
  const lowerCase = names.map((known) => known.toLowerCase());
  const nearest = nearestNames(name, lowerCase).map((known) => names[lowerCase.indexOf(known)]);
  const hint =
    nearest.length > 0
      ? `Nearest to it: ${nearest.join(', ')}.`
      : `There are ${names.length} others, such as clip-vit-base-patch32 and ResNet50_Weights.IMAGENET1K_V2.`;
  return new Failure('PRESET_UNKNOWN', `There is no preset "${name.slice(0, 80)}". ${hint}`, {
    preset: name.slice(0, 80),
    nearest: nearest.join(', '),
  });
}

/** Names that begin with a dot are ignored: Kubernetes keeps the files of a mounted ConfigMap in `..data`. */
function readPresets(directory: string): [name: string, plan: PresetPlan][] {
  const presets: [name: string, plan: PresetPlan][] = [];
  const files = new Map<string, string>();
  const problems: string[] = [];
  for (const entry of entriesOf(directory)) {
    const found = configFile(directory, entry);
    if (found === undefined) continue;
    const { name, file } = found;
    const other = files.get(keyOf(name));
    if (other !== undefined) problems.push(`${file}: has the same name as ${other}`);
    files.set(keyOf(name), file);
    try {
      presets.push([name, parsePreprocessorConfig(readConfig(join(directory, file)))]);
    } catch (error) {
      problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  if (problems.length > 0)
    throw new EnvironmentError(problems.map((line) => `PRESETS_DIR: ${line}`).join('\n'));
  return presets;
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory).filter((entry) => !entry.startsWith('.'));
  } catch (cause) {
    throw new EnvironmentError(`PRESETS_DIR is "${directory}"; allowed: a directory that can be read`, {
      cause,
    });
  }
}

/** The config that an entry of the directory contains, if any. */
function configFile(directory: string, entry: string): { name: string; file: string } | undefined {
  const suffix = '.json';
  if (entry.endsWith(suffix)) return { name: entry.slice(0, -suffix.length), file: entry };
  const file = join(entry, 'preprocessor_config.json');
  return statSync(join(directory, file), { throwIfNoEntry: false })?.isFile()
    ? { name: entry, file }
    : undefined;
}

function readConfig(path: string): string {
  const stats = statSync(path);
  // Reading a FIFO would block forever.
  if (!stats.isFile()) throw new Error('is not a regular file');
  const { size } = stats;
  if (size > maxConfigBytes) throw new Error(`has ${size} bytes; the limit is ${maxConfigBytes}`);
  return readFileSync(path, 'utf8');
}
