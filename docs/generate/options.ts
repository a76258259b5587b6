import { apiEnvironment } from '../../src/api/config.ts';
import { imageOptions, type OptionName } from '../../src/options/image-options.ts';
import type { Kind } from '../../src/options/kinds.ts';
import { code, table } from './markdown.ts';

/* The tables of docs/options.md, out of the one table of options. */

/** Every option by its purpose. `optionTables` refuses to leave one out. */
const groups: readonly (readonly [title: string, names: readonly OptionName[]])[] = [
  ['A model', ['preset', 'preprocessor_config', 'imgsz', 'stride', 'rect']],
  ['Size', ['scale', 'width', 'height', 'shortest_edge', 'fit', 'filter', 'crop_width', 'crop_height']],
  ['Colour and orientation', ['grayscale', 'alpha', 'background', 'orientation']],
  ['Arithmetic', ['numerics']],
  ['Response', ['format', 'quality']],
  ['Tensor', ['datatype', 'pixels', 'layout', 'channel_order', 'rescale', 'mean', 'std']],
];

interface Option {
  readonly kind: Kind<unknown>;
  readonly meaning: string;
  readonly field: string;
  readonly default?: unknown;
}

/** @throws Error when an option is in no group */
export function optionTables(): string {
  const left = new Set(Object.keys(imageOptions));
  const text = groups.map(([title, names]) => {
    for (const name of names) left.delete(name);
    return `### ${title}\n\n${table(['option', 'default', 'meaning and values', 'gRPC field'], names.map(row))}`;
  });
  if (left.size > 0) throw new Error(`add to a group of docs/generate/options.ts: ${[...left].join(', ')}`);
  return text.join('\n\n');
}

function row(name: OptionName): string[] {
  const option: Option = imageOptions[name];
  const meaning = `${option.meaning}<br>Values: ${valuesOf(option)}`;
  return [code(name), defaultOf(name, option), meaning, code(option.field)];
}

function valuesOf({ kind }: Option): string {
  const { enum: words, type } = kind.schema;
  if (Array.isArray(words)) return words.map(code).join(', ');
  return type === 'boolean' ? '`true`, `false`' : kind.allowed.replace(/^a whole number from /, '');
}

function defaultOf(name: OptionName, option: Option): string {
  const variable = `IMAGE_${name.toUpperCase()}`;
  if (variable in apiEnvironment.shape) return `[${code(variable)}](environment.md#defaults-of-requests)`;
  if (option.default === undefined) return 'none';
  return name === 'rescale' ? '1/255' : code(String(option.default));
}
