import { create } from '@bufbuild/protobuf';
import { SkewRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../deadline.ts';
import { Failure } from '../failures.ts';
import { skewJson } from '../skew-json.ts';
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
