import { readFileSync } from 'node:fs';
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { Failure } from '../failures.ts';
import { nearestNames } from '../nearest-names.ts';
import { imageOptionNames, imageOptions, type OptionName } from '../options/image-options.ts';
import { boolean, type Kind } from '../options/kinds.ts';
import { type ParsedOptions, parseOptions } from '../options/parse-options.ts';
import { ClientError } from './client-error.ts';
import { codeOf, unreadable } from './files.ts';

/** A flag: its type, its help and the completions of its value. */
export interface Flag {
  /** A boolean flag takes no value; with `no` it has a `--no-` form too. */
  readonly type: 'string' | 'boolean';
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
  imageOptionNames.map((name) => [flagOf(name), imageFlag(name)]),
);

function imageFlag(name: OptionName): Flag {
  const { kind, meaning }: { readonly kind: Kind<unknown>; readonly meaning: string } = imageOptions[name];
  if (kind === boolean) return { type: 'boolean', no: true, help: meaning };
  if (name === 'preprocessor_config') {
    const help = `${meaning} (its path, or its JSON)`;
    return { type: 'string', value: 'FILE', help, completes: 'files' };
  }
  if (name === 'preset') {
    const help = `${meaning} (see the command presets)`;
    return { type: 'string', value: 'NAME', help, completes: 'presets' };
  }
  const words = 'words' in kind ? { words: kind.words as readonly string[] } : {};
  return { type: 'string', value: 'VALUE', help: `${meaning} (${kind.allowed})`, ...words };
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
    Object.entries(flags).map(([flag, { type }]) => [flag, { type }]),
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
 * The address of image-api: the flag, else the environment.
 *
 * @throws ClientError of bad usage; its message contains no password
 */
export function readApi(flag: string | undefined, environment: string | undefined): URL {
  const given = flag ?? (environment || 'http://localhost:8080');
  const name = flag === undefined ? 'IMAGE_API_URL' : '--api';
  const api = URL.parse(given);
  if (api === null || !['http:', 'https:'].includes(api.protocol)) {
    throw usage(`${name} is "${given}"; allowed: an http or https URL, such as http://localhost:8080.`);
  }
  // fetch refuses such a URL.
  if (api.username !== '' || api.password !== '') {
    throw usage(`${name} contains a user name or password; image-api accepts none.`);
  }
  return api;
}

/**
 * The address of image-processor: the flag, else the environment. `host:port`, as for grpcurl, is allowed.
 *
 * @throws ClientError of bad usage
 */
export function readProcessor(flag: string | undefined, environment: string | undefined): URL {
  const given = flag ?? (environment || 'http://localhost:50051');
  const name = flag === undefined ? 'IMAGE_PROCESSOR_URL' : '--processor';
  const url = URL.parse(given.includes('://') ? given : `http://${given}`);
  const isOrigin = url !== null && /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
  if (!isOrigin) {
    const state = given.includes('@') ? 'is bad' : `is "${given}"`;
    throw usage(`${name} ${state}; allowed: host:port or an http or https URL without a path.`);
  }
  return url;
}

/**
 * The API key: the flag, else the environment. It is never printed.
 *
 * @throws ClientError of bad usage
 */
export function readApiKey(flag: string | undefined, environment: string | undefined): string | undefined {
  const key = flag ?? (environment || undefined);
  if (key !== undefined && !/^[\x21-\x7e]+$/.test(key)) {
    const name = flag === undefined ? 'IMAGE_API_KEY' : '--api-key';
    throw usage(`${name} has a space or another character that no API key has.`);
  }
  return key;
}

/** The error of bad usage. */
export function usage(message: string): ClientError {
  return new ClientError('usage', 'USAGE', message);
}
