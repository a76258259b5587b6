import { readFileSync } from 'node:fs';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { Failure } from '../failures.ts';
import { nearestNames } from '../nearest-names.ts';
import { imageOptionNames, imageOptions, type OptionName } from '../options/image-options.ts';
import { boolean, type Kind } from '../options/kinds.ts';
import { type OptionGroup, optionGroups } from '../options/option-groups.ts';
import { type ParsedOptions, parseOptions } from '../options/parse-options.ts';
import { ClientError } from './client-error.ts';
import { codeOf, unreadable } from './files.ts';

/** The groups of flags in `--help`, in their order. */
export const flagGroups = {
  common: 'Common options',
  model: optionGroups.model.title,
  page: optionGroups.page.title,
  size: optionGroups.size.title,
  colour: optionGroups.colour.title,
  response: 'Output',
  tensor: optionGroups.tensor.title,
  store: optionGroups.store.title,
  arithmetic: optionGroups.arithmetic.title,
  comparison: 'The comparison',
  check: 'The check of a list',
  lists: 'Lists',
  job: 'The job',
  corpus: 'The corpus',
  plan: 'Of plan',
  work: 'Of work',
  verify: 'Of verify',
  connection: 'Connection',
} as const satisfies Readonly<Record<OptionGroup, string>> & Readonly<Record<string, string>>;

export type FlagGroup = keyof typeof flagGroups;

/** A flag: its type, its help and the completions of its value. */
export interface Flag {
  /** A boolean flag takes no value; with `no` it has a `--no-` form too. */
  readonly type: 'string' | 'boolean';
  /** One letter, as `h` for `-h`. */
  readonly short?: string;
  readonly group: FlagGroup;
  readonly no?: boolean;
  /** The placeholder of the value in `--help`. */
  readonly value?: string;
  readonly help: string;
  /** The words that it takes, if it takes only some. */
  readonly words?: readonly string[];
  /** The completions of a value that has no words. */
  readonly completes?: 'folders' | 'files' | 'presets';
}

/** Flags by their names, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** The image options as flags, made from their table: `crop_width` is `--crop-width`. */
export const imageFlags: Flags = Object.fromEntries(
  Object.entries(optionGroups).flatMap(([group, { names }]) =>
    names.map((name) => [flagOf(name), imageFlag(name, group as OptionGroup)]),
  ),
);

function imageFlag(name: OptionName, group: OptionGroup): Flag {
  const { kind, meaning }: { readonly kind: Kind<unknown>; readonly meaning: string } = imageOptions[name];
  if (kind === boolean) return { type: 'boolean', no: true, group, help: meaning };
  if (name === 'preprocessor_config') {
    const help = `${meaning} (its path, or its JSON)`;
    return { type: 'string', group, value: 'FILE', help, completes: 'files' };
  }
  if (name === 'preset') {
    const help = `${meaning} (see the command presets)`;
    return { type: 'string', group, value: 'NAME', help, completes: 'presets' };
  }
  const words = 'words' in kind ? { words: kind.words as readonly string[] } : {};
  return { type: 'string', group, value: 'VALUE', help: `${meaning} (${kind.allowed})`, ...words };
}

function flagOf(option: string): string {
  return option.replaceAll('_', '-');
}

/** The values of a command line by their flags. */
export type Values = Readonly<Record<string, string | boolean | undefined>>;

/**
 * Parses a command line.
 *
 * @throws ClientError of bad usage; for an unknown flag it names the nearest
 */
export function parseFlags(
  argv: readonly string[],
  flags: Flags,
): { readonly values: Values; readonly positionals: readonly string[] } {
  const options: ParseArgsOptionsConfig = Object.fromEntries(
    Object.entries(flags).map(([flag, { type, short }]) => [
      flag,
      { type, ...(short === undefined ? {} : { short }) },
    ]),
  );
  try {
    const parsed = parseArgs({ args: [...argv], options, allowPositionals: true, allowNegative: true });
    return { values: parsed.values as Values, positionals: parsed.positionals };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // The advice "To specify a positional argument starting with a '-', …" hardly ever applies.
    const complaint = error.message.replace(/\. To specify a positional.*|\.$/s, '');
    throw usage(`${complaint}; ${didYouMean(complaint, flags)}--help lists the flags.`);
  }
}

function didYouMean(complaint: string, flags: Flags): string {
  const given = /^Unknown option '--(no-)?([^']+)'/.exec(complaint);
  const nearest = nearestNames(given?.[2] ?? '', Object.keys(flags));
  if (given === null || nearest.length === 0) return '';
  return `did you mean ${nearest.map((name) => `--${name}`).join(' or ')}? `;
}

/**
 * The image options of a command line. A preprocessor config that is named by its path is read.
 *
 * @throws ClientError of bad usage: OPTION_INVALID, INPUT_MISSING; INPUT_UNREADABLE
 */
export function readImageOptions(values: Values): ParsedOptions {
  const texts = imageOptionNames.flatMap((name) => {
    const value = values[flagOf(name)];
    if (value === undefined) return [];
    return [[name, name === 'preprocessor_config' ? readConfig(String(value)) : String(value)] as const];
  });
  try {
    return parseOptions(texts);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { option = '', actual, allowed } = error.metadata;
    const message = `--${flagOf(option)} is "${actual}"; allowed: ${allowed}.`;
    throw new ClientError('usage', error.reason, message, { cause: error });
  }
}

/** A preprocessor config: its JSON, or the path of its file, which may begin with `@` as for curl. */
function readConfig(given: string): string {
  if (given.trimStart().startsWith('{') || given === '') return given;
  const path = given.replace(/^@/, '');
  try {
    return readFileSync(path, 'utf8').replace(/^\uFEFF/, '');
  } catch (cause) {
    if (codeOf(cause) !== 'ENOENT') throw unreadable(path, cause);
    const message = `There is no file "${path}"; --preprocessor-config takes a path, or the JSON itself.`;
    throw new ClientError('usage', 'INPUT_MISSING', message, { cause });
  }
}

/** The value of a flag that takes a text. */
export function textOf(values: Values, flag: string): string | undefined {
  const value = values[flag];
  return typeof value === 'string' ? value : undefined;
}

/**
 * A flag's number of seconds, in milliseconds.
 *
 * @throws ClientError of bad usage
 */
export function readSeconds(values: Values, flag: string, byDefault: number): number {
  const given = textOf(values, flag) ?? String(byDefault);
  const seconds = /^\d{1,6}(\.\d{1,3})?$/.test(given) ? Number(given) : 0;
  if (seconds === 0) throw usage(`--${flag} is "${given}"; allowed: seconds above 0, such as 60 or 0.5.`);
  return Math.round(seconds * 1000);
}

/**
 * A flag's whole number.
 *
 * @throws ClientError of bad usage
 */
export function readCount(values: Values, flag: string, byDefault: number, max: number): number {
  const given = textOf(values, flag) ?? String(byDefault);
  const count = /^\d{1,9}$/.test(given) ? Number(given) : 0;
  if (count < 1 || count > max) {
    throw usage(`--${flag} is "${given}"; allowed: a whole number from 1 to ${max}.`);
  }
  return count;
}

/**
 * A flag's share, from 0 to 1.
 *
 * @throws ClientError of bad usage
 */
export function readShare(values: Values, flag: string): number | undefined {
  const given = textOf(values, flag);
  if (given === undefined) return undefined;
  const share = /^\d+(\.\d+)?$/.test(given) ? Number(given) : 2;
  if (share > 1) throw usage(`--${flag} is "${given}"; allowed: a share from 0 to 1, such as 0.05.`);
  return share;
}

/** The error of bad usage. */
export function usage(message: string): ClientError {
  return new ClientError('usage', 'USAGE', message);
}
