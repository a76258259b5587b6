import type { SkewResponse } from '../gen/image/v1/processor_pb.ts';

/** A comparison as JSON: what `POST /v1/skew` responds, and `image-client skew --json` prints. */
export function skewJson(response: SkewResponse) {
  const { equal, differingShare, meanAbs, maxAbs, percentiles, cause, plan, python } = response;
  return {
    equal,
    ...(differingShare !== undefined && {
      differing_share: differingShare,
      mean_abs: meanAbs,
      max_abs: maxAbs,
    }),
    ...(percentiles.length > 0 && {
      percentiles: Object.fromEntries(percentiles.map(({ percent, value }) => [`p${percent}`, value])),
    }),
    ...(cause && {
      cause: {
        exact: cause.exact,
        confidence: cause.confidence,
        sentence: cause.sentence,
        steps: cause.steps.map(({ name, yours, expected, also }) => ({
          name,
          yours,
          expected,
          ...(also.length > 0 && { also }),
        })),
      },
    }),
    plan,
    ...(python !== '' && { python }),
    ...(response.map.length > 0 && { map: Buffer.from(response.map).toString('base64') }),
  };
}
