import { create } from '@bufbuild/protobuf';
import { SkewRequestSchema, type SkewResponse } from '../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../deadline.ts';
import { Failure } from '../failures.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import type { HeldBytes } from './memory/held-bytes.ts';
import { readRequest } from './request.ts';
import { writeJson } from './response.ts';
import type { ProcessorClient } from './upstream/processor-client.ts';
import { originOf } from './upstream/trace-call.ts';

/** `POST /v1/skew`: names the preprocessing that made the tensor of the form, beside the image that it was made of. */
export function findSkew(config: ApiConfig, processor: ProcessorClient, held: HeldBytes) {
  return async (c: ApiContext): Promise<Response> => {
    // Before a byte of the body is read.
    processor.checkRoom();
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const { message, tensor } = await readRequest(c, config, deadline.signal, share);
    if (message.$typeName !== 'image.v1.ProcessRequest') {
      throw new Failure('OPTION_INVALID', 'A comparison has no variants.', {
        option: 'variants',
        allowed: 'unset',
      });
    }
    const request = create(SkewRequestSchema, {
      request: message,
      ...(tensor && { given: { case: 'tensor', value: { content: tensor } } }),
    });
    const room = { maxBytes: config.responseLimit.bytes, take: share.expects };
    const response = await processor.skew(request, deadline, originOf(c), room);
    c.header('Cache-Control', 'no-store');
    return writeJson(c, share, skewJson(response));
  };
}

function skewJson(response: SkewResponse) {
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
