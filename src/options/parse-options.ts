import { Failure } from '../failures.ts';
import { nearestNames } from '../nearest-names.ts';
import { shortened } from '../shortened.ts';
import {
  type ImageOptions,
  imageOptionNames,
  imageOptions,
  isOptionName,
  type OptionName,
} from './image-options.ts';
import { invalidOption } from './invalid-option.ts';
import type { Kind } from './kinds.ts';

/** Options as text, as a query or a form has them. */
export type OptionTexts = readonly (readonly [name: string, text: string])[];

/** The name of a document's password, which is no option. Bodies contain it, queries never: they are logged on their way. */
export const passwordName = 'password';

/** Options that were read, with their texts. */
export interface ParsedOptions {
  readonly values: ImageOptions;
  readonly texts: ReadonlyMap<OptionName, string>;
}

/** No options. */
export const noOptions: ParsedOptions = { values: {}, texts: new Map() };

/**
 * Reads options from text. The first bad value in the order of the table is reported.
 *
 * @param earlier - options that were read before, from another part of the request
 * @returns the options of both
 * @throws Failure OPTION_UNKNOWN; OPTION_INVALID, also for an option that is given twice
 */
export function parseOptions(texts: OptionTexts, earlier: ParsedOptions = noOptions): ParsedOptions {
  const all = new Map(earlier.texts);
  const added = new Map<OptionName, string>();
  for (const [name, text] of texts) {
    if (name === passwordName) throw misplacedPassword();
    if (!isOptionName(name)) throw unknownOption(name);
    const before = all.get(name);
    if (before !== undefined) {
      throw invalidOption(name, `${before}, ${text}`, 'one value', `${name} is given twice; give it once.`);
    }
    all.set(name, text);
    added.set(name, text);
  }
  const values: Record<string, unknown> = { ...earlier.values };
  for (const name of imageOptionNames) {
    const text = added.get(name);
    if (text !== undefined) values[name] = parseOption(name, text);
  }
  return { values, texts: all };
}

/** The value of one option. @throws Failure OPTION_INVALID */
function parseOption(name: OptionName, text: string): ImageOptions[OptionName] {
  const { kind }: { readonly kind: Kind<ImageOptions[OptionName]> } = imageOptions[name];
  const value = kind.parse(text);
  if (value !== undefined) return value;
  const actual = shortened(text);
  throw invalidOption(name, actual, kind.allowed, `${name} is "${actual}"; allowed: ${kind.allowed}.`);
}

/**
 * Joins lists whose values came as several options: `mean=0.5&mean=0.4`, as Python's requests writes them, and
 * `mean[]=0.5` or `mean[0]=0.5`, as axios does.
 *
 * @param texts - the options of one query or one form
 */
export function joinLists(texts: OptionTexts): OptionTexts {
  const joined = new Map<string, string[]>();
  const others: (readonly [name: string, text: string])[] = [];
  for (const [name, text] of texts) {
    const [, base = name, index = ''] = /^(\w+)\[(\d*)\]$/.exec(name) ?? [];
    const values = joined.get(base) ?? [];
    const isNext = index === '' || Number(index) === values.length;
    if (lists.includes(base) && isNext) joined.set(base, [...values, text]);
    else others.push([name, text]);
  }
  return [...others, ...[...joined].map(([name, values]) => [name, values.join(',')] as const)];
}

const lists: readonly string[] = ['mean', 'std', 'imgsz', 'page'] satisfies readonly OptionName[];

/**
 * The members of a JSON object as texts.
 *
 * @throws Failure OPTION_INVALID for values that have no text
 */
export function optionTexts(options: Readonly<Record<string, unknown>>): OptionTexts {
  return Object.entries(options).map(([name, value]) => [name, optionText(name, value)]);
}

function optionText(name: string, value: unknown): string {
  if (name === 'preprocessor_config' && typeof value === 'object' && value !== null) {
    return JSON.stringify(value);
  }
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const isPlain = values.every((one) => ['string', 'number', 'boolean'].includes(typeof one));
  if (isPlain) return values.join(',');
  const allowed = 'a string, a number, a boolean or an array of them';
  throw new Failure(
    'OPTION_INVALID',
    `"${shortened(name)}" is neither a string, a number, a boolean nor an array of them; omit options that should have their defaults.`,
    { option: shortened(name), allowed },
  );
}

/** The failure of a password among options. The password itself must not reach a message. */
function misplacedPassword(): Failure {
  const allowed = 'the form field or JSON member "password", the header X-Document-Password';
  return new Failure(
    'OPTION_INVALID',
    `A password among the options is refused, because queries are kept in logs and histories. Send it once, in ${allowed}. Change it if others may have read it.`,
    { option: passwordName, allowed },
  );
}

/** The failure of an option that is none of `names`. */
export function unknownOption(name: string, names: readonly string[] = imageOptionNames): Failure {
  const nearest = nearestNames(name, names);
  const guess = nearest.length === 0 ? '.' : `; did you mean ${nearest.join(' or ')}?`;
  const allowed = names.join(', ');
  const known = names.length === 0 ? 'This path has none.' : `The options are ${allowed}.`;
  return new Failure('OPTION_UNKNOWN', `There is no option "${shortened(name)}"${guess} ${known}`, {
    option: shortened(name),
    ...(nearest.length === 0 ? {} : { nearest: nearest.join(', ') }),
    allowed,
  });
}
