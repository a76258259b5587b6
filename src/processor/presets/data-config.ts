import { invalid } from './config-values.ts';
import type { ConfigValues } from './processor-types.ts';

/*
 * Readers for the configs of timm and open_clip. Both take a value that Python calls false for none. All throw
 * PRESET_INVALID.
 */

export const imagenet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] } as const;

/** Whether Python calls a value of JSON false. */
export function isUnset(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || value === false || value === 0 || value === '';
}

/** Whether a config names no image processor of transformers. */
export function isWithoutType(config: ConfigValues): boolean {
  return !('image_processor_type' in config || 'feature_extractor_type' in config);
}

/** The object under a key of a file, or the file itself if it does not have the key. */
export function fileOf(config: ConfigValues, key: string): ConfigValues {
  if (!(key in config)) return config;
  const value = config[key];
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as ConfigValues;
  throw invalid(key, value, 'an object');
}

/** One value for all channels, or one for each. */
export function perChannel(
  config: ConfigValues,
  key: string,
  defaults: readonly number[],
  isAllowed: (value: number) => boolean = () => true,
): readonly number[] {
  const value = config[key];
  if (isUnset(value)) return defaults;
  const numbers: readonly unknown[] = Array.isArray(value) ? value : [value];
  const hasLength = numbers.length === 1 || numbers.length === 3;
  if (hasLength && numbers.every((number) => isFiniteInFp32(number) && isAllowed(Math.fround(number)))) {
    return numbers as readonly number[];
  }
  throw invalid(key, value, key === 'std' ? 'one number or three, other than 0' : 'one number or three');
}

function isFiniteInFp32(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(Math.fround(value));
}

/** A side, in pixels. */
export function sideOf(key: string, value: unknown): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= 65_535)
    return value as number;
  throw invalid(key, value, 'sides from 1 to 65535 pixels');
}
