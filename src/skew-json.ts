import type { SkewCause, SkewResponse, Source, Tensor } from '../gen/image/v1/processor_pb.ts';
import { formatName } from './options/contract-words.ts';

/** A comparison as JSON: what `POST /v1/skew` responds, and `image-client skew --json` prints. */
export function skewJson(response: SkewResponse) {
  const { equal, withinTolerance, differingShare, meanAbs, maxAbs, percentiles, cause, plan, python } =
    response;
  const { given, expected, source, map } = response;
  return {
    equal,
    ...(withinTolerance !== undefined && { within_tolerance: withinTolerance }),
    ...(differingShare !== undefined && {
      differing_share: differingShare,
      mean_abs: meanAbs,
      max_abs: maxAbs,
    }),
    ...(percentiles.length > 0 && {
      percentiles: Object.fromEntries(percentiles.map(({ percent, value }) => [`p${percent}`, value])),
    }),
    ...(cause && { cause: causeJson(cause) }),
    ...(given && { given: tensorJson(given) }),
    ...(expected && { expected: tensorJson(expected) }),
    ...(source && { source: sourceJson(source) }),
    plan,
    ...(python !== '' && { python }),
    ...(map.length > 0 && { map: Buffer.from(map).toString('base64') }),
  };
}

/** One step of a cause. */
export interface StepJson {
  readonly name: string;
  readonly yours: string;
  readonly expected: string;
  readonly also?: readonly string[];
}

function causeJson({ exact, confidence, sentence, steps }: SkewCause) {
  return {
    exact,
    confidence,
    sentence,
    steps: steps.map(
      ({ name, yours, expected, also }): StepJson => ({
        name,
        yours,
        expected,
        ...(also.length > 0 && { also }),
      }),
    ),
  };
}

function tensorJson({ name, datatype, shape }: Tensor) {
  return { name, datatype, shape: shape.map(Number) };
}

function sourceJson({ format, width, height, orientation, bytes, sha256 }: Source) {
  return { format: formatName(format), width, height, orientation, bytes: Number(bytes), sha256 };
}
