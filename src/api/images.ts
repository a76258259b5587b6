import type { ProcessResponse, ProcessVariantsResponse } from '../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../deadline.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import type { HeldBytes, Share } from './memory/held-bytes.ts';
import { priceOfResponse } from './memory/response-price.ts';
import { readRequest } from './request.ts';
import { releaseBody } from './request-body.ts';
import { writeResponse, writeVariants } from './response.ts';
import { releaseResponse } from './upstream/grpc-call.ts';
import type { ProcessorClient, ResponseRoom } from './upstream/processor-client.ts';
import { originOf } from './upstream/trace-call.ts';

/** The main path of /v1/images: one image in, one image or tensor out, or several variants. */
export function processImage(config: ApiConfig, processor: ProcessorClient, held: HeldBytes) {
  return async (c: ApiContext): Promise<Response> => {
    // Before a byte of it is read.
    processor.checkRoom();
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const { message, names } = await readRequest(c, config, deadline.signal, share);
    const read = deadline.elapsedMs();
    share.expects(priceOfResponse(message, config.responseLimit));
    const room = roomOf(share, config);
    if (message.$typeName === 'image.v1.ProcessVariantsRequest') {
      const response = await processor.processVariants(message, deadline, originOf(c), room);
      releaseWhenSent(c, response);
      return writeVariants(c, share, response.variants, names, { read, total: deadline.elapsedMs() });
    }
    const response = await processor.process(message, deadline, originOf(c), room);
    releaseWhenSent(c, response);
    return writeResponse(c, share, response, { read, total: deadline.elapsedMs() });
  };
}

/**
 * Frees the memory of a request's image and of its response at the earliest time. The processor has read all of the image,
 * or it would not have responded. After a failure it may still read it.
 */
function releaseWhenSent({ env }: ApiContext, response: ProcessResponse | ProcessVariantsResponse): void {
  releaseBody(env.incoming);
  env.outgoing.once('close', () => releaseResponse(response));
}

function roomOf(share: Share, { responseLimit }: ApiConfig): ResponseRoom {
  return { maxBytes: responseLimit.bytes, take: share.expects };
}
