import type { ProcessRequest } from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import { nearestNames } from '../nearest-names.ts';
import { type ImageOptions, imageOptionNames, imageOptions } from '../options/image-options.ts';
import { invalidOption, shown } from '../options/image-request.ts';

/** Options as they came. */
export type OptionTexts = readonly (readonly [name: string, text: string])[];

/** Where the image comes from. */
export type ImageSource = Exclude<ProcessRequest['source'], { case: undefined }>;

/** What a query or a body says. */
export interface Said {
  readonly sources: readonly ImageSource[];
  readonly options: OptionTexts;
}

/** Options that take several values. */
const listOptions: readonly string[] = ['mean', 'std'] satisfies (keyof ImageOptions)[];

/**
 * Lists that came as several options of one name, joined: `mean=0.5&mean=0.4`, as Python's requests writes them, and
 * `mean[]=0.5` or `mean[0]=0.5`, as axios does.
 *
 * @param texts - what one query or one form has; a list that stands in both is given twice
 */
export function joinLists(texts: OptionTexts): OptionTexts {
  const lists = new Map<string, string[]>();
  const others: (readonly [name: string, text: string])[] = [];
  for (const [name, text] of texts) {
    const [, base = name, index = ''] = /^(\w+)\[(\d*)\]$/.exec(name) ?? [];
    const values = lists.get(base) ?? [];
    const isNext = index === '' || Number(index) === values.length;
    if (listOptions.includes(base) && isNext) lists.set(base, [...values, text]);
    else others.push([name, text]);
  }
  return [...others, ...[...lists].map(([name, values]) => [name, values.join(',')] as const)];
}

/**
 * Reads options from text.
 *
 * @throws Failure OPTION_UNKNOWN, OPTION_INVALID
 */
export function parseOptions(texts: OptionTexts): ImageOptions {
  const given = new Map<string, string>();
  for (const [name, text] of texts) {
    if (!imageOptionNames.some((known) => known === name)) throw unknownOption(name);
    const earlier = given.get(name);
    if (earlier !== undefined) {
      throw invalidOption(name, `${earlier}, ${text}`, 'one value', `${name} is given twice; give it once.`);
    }
    given.set(name, text);
  }
  const parsed = imageOptions.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = String(issue?.path[0]);
  const allowed = issue?.message ?? '';
  const actual = shown(given.get(name) ?? '');
  throw invalidOption(name, actual, allowed, `${name} is "${actual}"; allowed: ${allowed}.`);
}

/**
 * The options of a JSON object as texts.
 *
 * @throws Failure OPTION_INVALID for values that no text stands for
 */
export function optionTexts(options: Readonly<Record<string, unknown>>): OptionTexts {
  return Object.entries(options).map(([name, value]) => [name, optionText(name, value)]);
}

function optionText(name: string, value: unknown): string {
  if (name === 'preprocessor_config' && typeof value === 'object' && value !== null)
    return JSON.stringify(value);
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const isPlain = values.every((one) => ['string', 'number', 'boolean'].includes(typeof one));
  if (!isPlain) {
    throw new Failure(
      'OPTION_INVALID',
      `"${shown(name)}" is neither a string, a number, a boolean nor an array of them; leave out what shall have its default.`,
      { option: shown(name), allowed: 'a string, a number, a boolean or an array of them' },
    );
  }
  return values.join(',');
}

function unknownOption(name: string): Failure {
  const nearest = nearestNames(name, imageOptionNames);
  const guess = nearest.length === 0 ? '.' : `; did you mean ${nearest.join(' or ')}?`;
  const allowed = imageOptionNames.join(', ');
  return new Failure(
    'OPTION_UNKNOWN',
    `There is no option "${shown(name)}"${guess} The options are ${allowed}.`,
    { option: shown(name), ...(nearest.length === 0 ? {} : { nearest: nearest.join(', ') }), allowed },
  );
}
