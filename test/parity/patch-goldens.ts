import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { Source } from './preset-goldens.ts';

/*
 * The goldens of make_patch_goldens.py. PATCH_GOLDENS names another file that it has written.
 */

/** A config and its results by the backends of transformers that have its type. */
export interface PatchGolden {
  /** A preprocessor_config.json. */
  readonly config: string;
  readonly cases: readonly PatchCase[];
}

/** Pictures that become one batch, and the tensors made of them. */
export interface PatchCase {
  readonly backend: 'torch' | 'pillow';
  readonly sources: readonly Source[];
  /** A line for each tensor: name, type, shape and the first 16 digits of the SHA-256. Unset: refused. */
  readonly tensors: readonly string[] | undefined;
}

interface File {
  readonly versions: Readonly<Record<string, string>>;
  readonly classes: Readonly<Record<string, string>>;
  readonly goldens: readonly {
    readonly config: string;
    readonly torch?: readonly string[];
    readonly pillow?: readonly string[];
  }[];
}

const path = process.env.PATCH_GOLDENS ?? new URL('patch-goldens.json', import.meta.url);
const file: File = JSON.parse(readFileSync(path, 'utf8'));

export const { versions } = file;

/** The values of transformers' classes for keys that a config omits. */
export const patchClassValues: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map(
  Object.entries(file.classes).map(([name, values]) => [name, JSON.parse(values)]),
);

export const patchGoldens: readonly PatchGolden[] = file.goldens.map(({ config, ...results }) => ({
  config,
  cases: (['torch', 'pillow'] as const).flatMap((backend) =>
    (results[backend] ?? []).map((line) => caseOf(line, backend)),
  ),
}));

function caseOf(line: string, backend: PatchCase['backend']): PatchCase {
  const [pictures = '', result = ''] = line.split(': ');
  return {
    backend,
    sources: pictures.split(' + ').map(sourceOf),
    tensors: result === 'refused' ? undefined : result.split(', '),
  };
}

function sourceOf(text: string): Source {
  const [shape = '', kind] = text.split(' ');
  const [width, height, channels] = shape.split('x').map(Number);
  return { width, height, channels, kind } as Source;
}
