import { create } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  type SkewRequest,
  SkewRequestSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../failures.ts';
import { type ImageOptions, standardDefaults, tensorContainers } from '../../options/image-options.ts';
import { processRequest } from '../../options/image-request.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import { type Tolerance, toleranceField } from '../../options/tolerance.ts';

/** The content of the other program's file. */
export type GivenForm =
  | { readonly case: 'picture' }
  | {
      readonly case: 'tensor';
      /** Of raw values; empty for a file with a header. */
      readonly shape: readonly number[];
      /** Of raw values, in capitals; empty for a file with a header. */
      readonly datatype: string;
      /** In a file of several; empty: the service chooses. */
      readonly name: string;
    };

/** A comparison without the contents of its files. */
export interface Comparison {
  /** The request for the expected tensor, without a source. */
  readonly expected: ProcessRequest;
  readonly given: GivenForm;
  readonly tolerance: Tolerance | undefined;
}

/**
 * The request for an expected tensor, as image-api makes it where its environment sets no defaults.
 *
 * @throws Failure OPTION_INVALID for options that do not go together or give an image; OPTION_MISSING
 */
export function expectedRequest(options: ImageOptions): ProcessRequest {
  if (Object.keys(options).length === 0) throw nothingExpected();
  const { format } = options;
  if (format !== undefined && !tensorContainers.some((container) => container === format)) {
    throw invalidOption('format', format, `unset, or a container of tensors: ${tensorContainers.join(', ')}`);
  }
  return processRequest({ case: undefined }, { ...options, format: 'safetensors' }, standardDefaults);
}

function nothingExpected(): Failure {
  return new Failure(
    'OPTION_INVALID',
    'Nothing says which tensor is right: set preset, preprocessor_config, or the options of the expected tensor.',
    { option: 'preset', allowed: 'preset, preprocessor_config, or other options' },
  );
}

/**
 * The request for a comparison.
 *
 * @param source - the image
 * @param content - the other program's file
 */
export function skewRequest(
  { expected, given, tolerance }: Comparison,
  source: ProcessRequest['source'],
  content: Uint8Array,
  wantsMap = false,
): SkewRequest {
  const common = {
    request: { ...expected, source },
    map: wantsMap,
    ...(tolerance && { tolerance: toleranceField(tolerance) }),
  };
  if (given.case === 'picture') {
    return create(SkewRequestSchema, { ...common, given: { case: 'picture', value: content } });
  }
  const { shape, datatype, name } = given;
  const value = { content, shape: shape.map(BigInt), datatype, name };
  return create(SkewRequestSchema, { ...common, given: { case: 'tensor', value } });
}
