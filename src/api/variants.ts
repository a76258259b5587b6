import { create } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  type ProcessVariantsRequest,
  ProcessVariantsRequestSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure, withIndex } from '../failures.ts';
import { jsonDepth } from '../grpc/messages/json-depth.ts';
import { maxDepth } from '../grpc/messages/message-limits.ts';
import { maxVariants } from '../options/image-options.ts';
import { type ImageDefaults, processRequest } from '../options/image-request.ts';
import { type ImageSource, type OptionTexts, optionTexts, parseOptions } from './options.ts';

/** The option that asks for several answers of one image. */
export const variantsOption = 'variants';

/** Options as they came, and those of each variant where several answers are asked for. */
export interface SaidVariants {
  readonly common: OptionTexts;
  readonly variants: readonly OptionTexts[] | undefined;
}

/**
 * Reads the option `variants`: a JSON list of objects of options, as `[{"width": 224, "height": 224, "format": "npy"},
 * {"format": "jpeg"}]`. The other options hold for all variants that don't say otherwise.
 *
 * @throws Failure OPTION_INVALID, OPTION_UNKNOWN
 */
export function parseVariants(options: OptionTexts): SaidVariants {
  const common = options.filter(([name]) => name !== variantsOption);
  const [text, another] = options.filter(([name]) => name === variantsOption).map(([, value]) => value);
  if (text === undefined) {
    parseOptions(common);
    return { common, variants: undefined };
  }
  if (another !== undefined) throw invalid('given twice', 'variants is given twice; give it once.');
  const list = parseList(text);
  return {
    common,
    variants: list.map((one, index) =>
      withIndex(`Variant ${index}`, index, () => {
        const own = optionTexts(one);
        const said = new Set(own.map(([name]) => name));
        const texts = [...own, ...common.filter(([name]) => !said.has(name))];
        parseOptions(texts);
        return texts;
      }),
    ),
  };
}

/** The processor's request for several answers of one image. @throws Failure as `processRequest`, with the index */
export function variantsRequest(
  source: ImageSource,
  variants: readonly OptionTexts[],
  defaults: ImageDefaults,
): ProcessVariantsRequest {
  return create(ProcessVariantsRequestSchema, {
    source,
    variants: variants.map(
      (texts, index): ProcessRequest =>
        withIndex(`Variant ${index}`, index, () =>
          processRequest({ case: undefined }, parseOptions(texts), defaults),
        ),
    ),
  });
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
    throw invalid(text.slice(0, 100), 'variants is not a JSON list of objects of options.');
  }
  if (list.length <= maxVariants) return list;
  throw invalid(
    String(list.length),
    `There are ${list.length} variants; at most ${maxVariants} are made at once. Send several requests.`,
    maxVariants,
  );
}

function invalid(actual: string, message: string, limit?: number): Failure {
  return new Failure('OPTION_INVALID', message, {
    option: variantsOption,
    actual,
    allowed: `a JSON list of 1 to ${maxVariants} objects of options, as [{"width": 224, "height": 224}]`,
    ...(limit !== undefined && { limit }),
  });
}
