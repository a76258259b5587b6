import { apiEnvironment } from '../../src/api/config.ts';
import { imageOptions, type OptionName } from '../../src/options/image-options.ts';
import type { Kind } from '../../src/options/kinds.ts';
import { optionGroups } from '../../src/options/option-groups.ts';
import { code, table } from './markdown.ts';

/* The tables of docs/options.md, out of the one table of options. */

interface Option {
  readonly kind: Kind<unknown>;
  readonly meaning: string;
  readonly field: string;
  readonly default?: unknown;
}

export function optionTables(): string {
  return Object.values(optionGroups)
    .map(({ title, names }) => {
      const header = ['option', 'default', 'meaning and values', 'gRPC field'];
      return `### ${title}\n\n${table(header, names.map(row))}`;
    })
    .join('\n\n');
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
