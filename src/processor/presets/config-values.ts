import { Failure } from '../../failures.ts';
import type { ResizeFit } from '../image/resize.ts';
import type { ConfigValues } from './processor-types.ts';

/**
 * Readers for a preprocessor config's values, each with its type and range. All throw PRESET_INVALID with the key, the
 * actual value and the allowed values.
 */

/** JPEG stores sides as 16-bit numbers, and no model needs as many pixels. */
const longestSide = 65_535;

/** The size of a resize or a crop, in pixels, by the names of transformers. */
export type ConfigSize = Extract<ResizeFit, { readonly fit: 'fill' | 'shortestEdge' | 'within' }>;

/**
 * A flag as Python counts a value of a config: null and 0 are false, other numbers and "true" are true. The string
 * "false", which Python counts as true, is refused.
 */
export function readFlag(config: ConfigValues, key: string): boolean {
  const value = config[key] ?? false;
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number') return value !== 0;
  if (value === 'true') return true;
  throw invalid(key, value, 'true or false');
}

/** A finite number. */
export function readNumber(config: ConfigValues, key: string): number {
  const value = config[key];
  if (isFiniteInFp32(value)) return value;
  throw invalid(key, value, 'a finite number');
}

/** A whole number within a range. */
export function readWholeNumber(config: ConfigValues, key: string, min: number, max: number): number {
  return wholeNumber(key, config[key], min, max);
}

/** One finite number for all three channels, or one for each. */
export function readPerChannel(config: ConfigValues, key: string): readonly number[] {
  const value = config[key];
  const numbers: readonly unknown[] = Array.isArray(value) ? value : [value];
  const hasLength = !Array.isArray(value) || value.length === 3;
  if (hasLength && numbers.every(isFiniteInFp32)) return numbers;
  throw invalid(key, value, 'a finite number, or three of them, one a channel');
}

/** A key like `image_std`: one number, or one for each channel, none of which is 0. */
export function readStd(config: ConfigValues, key = 'image_std'): readonly number[] {
  const std = readPerChannel(config, key);
  // Computed in FP32: a value that is 0 there would divide by 0.
  if (std.every((value) => Math.fround(value) !== 0)) return std;
  throw invalid(key, config[key], 'numbers other than 0');
}

/** Checks that a value computed in FP32 is finite there. */
function isFiniteInFp32(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}

/**
 * A size in any form that transformers' get_size_dict accepts and PilBackend computes. The meaning of a single number
 * depends on `toSquare`.
 *
 * @param toSquare - whether a single number is both sides; otherwise it is the shortest edge
 */
export function readSize(config: ConfigValues, key: string, toSquare: boolean): ConfigSize {
  const value = config[key];
  if (typeof value === 'number') {
    const side = wholeNumber(key, value, 1, longestSide);
    return toSquare
      ? { fit: 'fill', height: side, width: side }
      : { fit: 'shortestEdge', shortestEdge: side };
  }
  if (Array.isArray(value) && value.length === 2) {
    const [height, width] = value.map((side) => wholeNumber(key, side, 1, longestSide));
    return { fit: 'fill', height: height as number, width: width as number };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw invalid(key, value, sizeShapes);
  }
  return sizeOfKeys(key, value as ConfigValues);
}

const sizeShapes =
  'a number, [height, width], {height, width}, {shortest_edge}, {shortest_edge, longest_edge} or {max_height, max_width}';

function sizeOfKeys(key: string, size: ConfigValues): ConfigSize {
  const side = (name: string) => wholeNumber(`${key}.${name}`, size[name], 1, longestSide);
  switch (Object.keys(size).sort().join()) {
    case 'height,width':
      return { fit: 'fill', height: side('height'), width: side('width') };
    case 'shortest_edge':
      return { fit: 'shortestEdge', shortestEdge: side('shortest_edge') };
    case 'longest_edge,shortest_edge':
      return size.longest_edge === null
        ? { fit: 'shortestEdge', shortestEdge: side('shortest_edge') }
        : {
            fit: 'shortestEdge',
            shortestEdge: side('shortest_edge'),
            longestEdge: side('longest_edge'),
          };
    case 'max_height,max_width':
      return { fit: 'within', maxHeight: side('max_height'), maxWidth: side('max_width') };
    default:
      throw invalid(key, size, sizeShapes);
  }
}

/** The only side of a size with one key, in pixels. */
export function readEdge(config: ConfigValues, key: string, edge: string): number {
  return wholeNumber(`${key}.${edge}`, readKeys(config, key, [edge])[edge], 1, longestSide);
}

/** The values of an object, with its keys: exactly these. */
export function readKeys(config: ConfigValues, key: string, names: readonly string[]): ConfigValues {
  const value = config[key];
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject && Object.keys(value).sort().join() === names.toSorted().join()) return value as ConfigValues;
  throw invalid(key, value, `{${names.join(', ')}}`);
}

function wholeNumber(key: string, value: unknown, min: number, max: number): number {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
  throw invalid(key, value, `a whole number from ${min} to ${max}`);
}

/** PRESET_INVALID for one key. */
export function invalid(key: string, actual: unknown, allowed: string): Failure {
  const shownActual = shown(actual);
  return new Failure(
    'PRESET_INVALID',
    `The preprocessor config's ${key} is ${shownActual}; allowed: ${allowed}.`,
    { key, actual: shownActual, allowed },
  );
}

/** PRESET_UNSUPPORTED for keys that ask for a computation that is missing. */
export function unsupportedKeys(keys: readonly string[], why: string): Failure {
  const named = namedKeys(keys);
  return new Failure(
    'PRESET_UNSUPPORTED',
    `The preprocessor config's ${named} is not computed here: ${why}. Take it out if the pixels don't depend on it.`,
    { keys: named },
  );
}

/** Keys named in a message or a decision. */
const maxNamedKeys = 20;

function namedKeys(keys: readonly string[]): string {
  return keys
    .slice(0, maxNamedKeys)
    .map((key) => key.slice(0, 40))
    .join(', ');
}

/** A value of the config as shown to the caller, shortened if it is long. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}…`;
}

/** The decision that names the keys which the model's library ignores, if there are any. */
export function ignoring(keys: readonly string[]): { readonly decisions?: readonly string[] } {
  if (keys.length === 0) return {};
  return { decisions: [`ignored=${namedKeys(keys)}${keys.length > maxNamedKeys ? ', …' : ''}`] };
}
