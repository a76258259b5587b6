import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EnvironmentError } from '../../environment.ts';
import type { Preset } from './preset.ts';
import { keyOf } from './preset-names.ts';
import { maxConfigBytes } from './transformers/config-file.ts';
import { transformersPreset } from './transformers-preset.ts';

/** A file of PRESETS_DIR, by its path there, and the name of its preset. */
interface ConfigFile {
  readonly name: string;
  readonly file: string;
}

/**
 * The presets of PRESETS_DIR: `<name>.json`, `<name>/preprocessor_config.json` or, with the model's id as the name,
 * `<organization>/<name>/preprocessor_config.json`.
 *
 * @throws EnvironmentError with a line for every file that is not a supported preset
 */
export function readPresets(directory: string): readonly Preset[] {
  const files = new Map<string, string>();
  const problems: string[] = [];
  const presets = configFiles(directory).flatMap(({ name, file }) => {
    const other = files.get(keyOf(name));
    if (other !== undefined) problems.push(`${file}: has the same name as ${other}`);
    files.set(keyOf(name), file);
    try {
      const config = readConfig(join(directory, file));
      const preset = transformersPreset(name, [], () => config);
      checkPlans(preset);
      return [preset];
    } catch (error) {
      problems.push(`${file}: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  if (problems.length > 0)
    throw new EnvironmentError(problems.map((line) => `PRESETS_DIR: ${line}`).join('\n'));
  return presets;
}

/** Plans a preset with each of its libraries. @throws Failure that of the first one, if all fail */
function checkPlans({ libraries, plan }: Preset): void {
  const failures = libraries.flatMap((library) => {
    try {
      plan(library, {});
      return [];
    } catch (failure) {
      return [failure];
    }
  });
  if (failures.length === libraries.length) throw failures[0];
}

function configFiles(directory: string): ConfigFile[] {
  let entries: string[];
  try {
    entries = entriesOf(directory);
  } catch (cause) {
    throw new EnvironmentError(`PRESETS_DIR is "${directory}"; allowed: a directory that can be read`, {
      cause,
    });
  }
  const suffix = '.json';
  return entries.flatMap((entry) => {
    if (entry.endsWith(suffix)) return [{ name: entry.slice(0, -suffix.length), file: entry }];
    const own = folderConfig(directory, entry);
    if (own !== undefined) return [own];
    if (!statSync(join(directory, entry), { throwIfNoEntry: false })?.isDirectory()) return [];
    return entriesOf(join(directory, entry)).flatMap(
      (model) => folderConfig(directory, `${entry}/${model}`) ?? [],
    );
  });
}

/** Names that begin with a dot are ignored: Kubernetes keeps the files of a mounted ConfigMap in `..data`. */
function entriesOf(directory: string): string[] {
  return readdirSync(directory).filter((entry) => !entry.startsWith('.'));
}

/** The config of a folder, if it contains one. */
function folderConfig(directory: string, folder: string): ConfigFile | undefined {
  const file = `${folder}/preprocessor_config.json`;
  return statSync(join(directory, file), { throwIfNoEntry: false })?.isFile()
    ? { name: folder, file }
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
