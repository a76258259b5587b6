import { Failure } from '../../../failures.ts';
import { jsonDepth } from '../../../grpc/messages/json-depth.ts';
import { maxDepth } from '../../../grpc/messages/message-limits.ts';
import { invalid, shown } from '../config-values.ts';
import type { ConfigValues } from '../processor-types.ts';

/** Limit of a config in bytes; real ones have about 700. */
export const maxConfigBytes = 65_536;

/** The keys of a file by the class that reads them. */
export interface ConfigFile {
  /** Those of the image processor. */
  readonly image: ConfigValues;
  /** Those of the model's processor, which counts tokens. They are the same in a preprocessor_config.json. */
  readonly processor: ConfigValues;
}

/**
 * Reads the keys that configure an image processor: those of a preprocessor_config.json, or `image_processor` in a
 * processor_config.json of transformers 5. A `model_type` beside `image_processor` counts for it, as the model's
 * config.json does in AutoImageProcessor.
 *
 * @throws PRESET_INVALID
 */
export function readConfigFile(json: string): ConfigFile {
  const file = parseObject(json);
  const { image_processor: nested, ...processor } = file;
  if (nested === undefined) return { image: file, processor: file };
  if (!isObject(nested)) throw invalid('image_processor', nested, 'an object, as in processor_config.json');
  const image = file.model_type === undefined ? nested : { model_type: file.model_type, ...nested };
  return { image, processor };
}

function parseObject(json: string): ConfigValues {
  const bytes = Buffer.byteLength(json);
  if (bytes > maxConfigBytes) {
    throw new Failure(
      'PRESET_INVALID',
      `The preprocessor config has ${bytes} bytes; the limit is ${maxConfigBytes}. Send only preprocessor_config.json.`,
      { limit: maxConfigBytes, actual: bytes },
    );
  }
  const depth = jsonDepth(json);
  if (depth > maxDepth) {
    throw new Failure(
      'PRESET_INVALID',
      `The preprocessor config nests objects and arrays ${depth} deep; the limit is ${maxDepth}.`,
      { limit: maxDepth, actual: depth },
    );
  }
  const value = parseJson(json);
  if (isObject(value)) return value;
  throw new Failure(
    'PRESET_INVALID',
    `The preprocessor config is ${shown(value)}; it has to be a JSON object, as preprocessor_config.json is.`,
  );
}

function isObject(value: unknown): value is ConfigValues {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch (cause) {
    const isPython = /[:[,]\s*-?(NaN|Infinity)\b/.test(json);
    const hint = isPython
      ? 'It has a NaN or Infinity, which Python writes but JSON does not know; put a finite number there.'
      : 'Send the text of a preprocessor_config.json.';
    throw new Failure('PRESET_INVALID', `The preprocessor config is not JSON. ${hint}`, {}, { cause });
  }
}
