import { create } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  type ProcessVariantsRequest,
  ProcessVariantsRequestSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure, withIndex } from '../failures.ts';
import { jsonDepth } from '../grpc/messages/json-depth.ts';
import { maxDepth } from '../grpc/messages/message-limits.ts';
import { type ImageDefaults, type ImageOptions, maxVariants } from '../options/image-options.ts';
import { processRequest } from '../options/image-request.ts';
import { invalidOption } from '../options/invalid-option.ts';
import {
  noOptions,
  type OptionTexts,
  optionTexts,
  type ParsedOptions,
  parseOptions,
} from '../options/parse-options.ts';
import type { ImageSource } from './request-part.ts';

/** The option that asks for several outputs of one image. */
export const variantsOption = 'variants';

/** One of several outputs. */
interface Variant {
  /** The name of its part in the response. */
  readonly name: string | undefined;
  readonly options: ImageOptions;
}

/** The options of a request. */
export interface RequestOptions {
  /** Those that hold for all outputs. */
  readonly common: ParsedOptions;
  /** Undefined for a request for one output. */
  readonly variants: readonly Variant[] | undefined;
}

/** A part's name is a quoted string in a header, and the stem of a file's name. */
export const variantNamePattern = '^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$';

/**
 * Reads the options of one part of a request, the option `variants` among them: a JSON list of objects of options, each
 * with a `name` if its part should have one, such as `[{"name": "input", "width": 224, "format": "npy"}, {"format": "jpeg"}]`.
 *
 * @param earlier - the options of another part, which are not read again
 * @returns the options of both
 * @throws Failure OPTION_INVALID, OPTION_UNKNOWN; for a variant with its index
 */
export function readOptions(
  texts: OptionTexts,
  earlier: RequestOptions = { common: noOptions, variants: undefined },
): RequestOptions {
  const lists = texts.filter(([name]) => name === variantsOption).map(([, text]) => text);
  const common = parseOptions(
    texts.filter(([name]) => name !== variantsOption),
    earlier.common,
  );
  const [list] = lists;
  if (list === undefined) return { common, variants: earlier.variants };
  if (lists.length > 1 || earlier.variants !== undefined) {
    throw invalidVariants('given twice', 'variants is given twice; give it once.');
  }
  const variants = parseList(list).map(({ name, ...options }, index) =>
    withIndex(`Variant ${index}`, index, () => ({
      name: parseName(name),
      options: parseOptions(optionTexts(options)).values,
    })),
  );
  refuseEqualNames(variants);
  return { common, variants };
}

/**
 * The processor's request. In a variant its own options replace the common ones.
 *
 * @throws Failure OPTION_INVALID for options that do not go together; of a variant with its index
 */
export function requestWithOptions(
  source: ImageSource,
  { common, variants }: RequestOptions,
  defaults: ImageDefaults,
): ProcessRequest | ProcessVariantsRequest {
  if (variants === undefined) return processRequest(source, common.values, defaults);
  return create(ProcessVariantsRequestSchema, {
    source,
    variants: variants.map(({ options }, index) =>
      withIndex(`Variant ${index}`, index, () =>
        processRequest({ case: undefined }, { ...common.values, ...options }, defaults),
      ),
    ),
  });
}

/** @throws Failure OPTION_INVALID */
function parseName(name: unknown): string | undefined {
  if (name === undefined) return undefined;
  if (typeof name === 'string' && new RegExp(variantNamePattern).test(name)) return name;
  const actual = typeof name === 'string' ? name : JSON.stringify(name);
  throw invalidOption('name', actual, '1 to 64 of A–Z, a–z, 0–9, "_", "-" and ".", not "." first');
}

/**
 * Refuses two parts of one name. A variant without a name has its index for one.
 *
 * @throws Failure OPTION_INVALID with the index of the second
 */
function refuseEqualNames(variants: readonly Variant[]): void {
  const taken = new Set<string>();
  for (const [index, { name = String(index) }] of variants.entries()) {
    withIndex(`Variant ${index}`, index, () => {
      if (taken.has(name)) throw invalidOption('name', name, 'a name that no other variant has');
    });
    taken.add(name);
  }
}

function parseList(text: string): readonly Record<string, unknown>[] {
  let list: unknown;
  try {
    list = jsonDepth(text) > maxDepth ? undefined : JSON.parse(text);
  } catch {
    list = undefined;
  }
  const isObject = (one: unknown) => typeof one === 'object' && one !== null && !Array.isArray(one);
  if (!Array.isArray(list) || list.length === 0 || !list.every(isObject)) {
    throw invalidVariants(text.slice(0, 100), 'variants is not a JSON list of objects of options.');
  }
  if (list.length <= maxVariants) return list;
  throw invalidVariants(
    String(list.length),
    `There are ${list.length} variants; the limit is ${maxVariants}. Send several requests.`,
    maxVariants,
  );
}

function invalidVariants(actual: string, message: string, limit?: number): Failure {
  return new Failure('OPTION_INVALID', message, {
    option: variantsOption,
    actual,
    allowed: `a JSON list of 1 to ${maxVariants} objects of options, such as [{"width": 224, "height": 224}]`,
    ...(limit !== undefined && { limit }),
  });
}
