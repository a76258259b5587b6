import { startDeadline } from '../deadline.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import type { HeldBytes } from './held-bytes.ts';
import type { ProcessorClient } from './processor-client.ts';
import { readRequest } from './request.ts';
import { writeResponse, writeVariants } from './response.ts';
import { originOf } from './trace-calls.ts';

/** One image in, one image or tensor out, or several variants: the way of every request to /v1/images. */
export function processImage(config: ApiConfig, processor: ProcessorClient, held: HeldBytes) {
  return async (c: ApiContext): Promise<Response> => {
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    // Before a byte of it is read.
    processor.checkRoom();
    held.checkRoom();
    const request = await readRequest(c, config, deadline.signal, held);
    const read = deadline.elapsedMs();
    if (request.$typeName === 'image.v1.ProcessVariantsRequest') {
      const { variants } = await processor.processVariants(request, deadline, originOf(c));
      held.shareOf(c.env.outgoing).answers(variants);
      return writeVariants(c, variants, { read, total: deadline.elapsedMs() });
    }
    const response = await processor.process(request, deadline, originOf(c));
    held.shareOf(c.env.outgoing).answers([response]);
    return writeResponse(c, response, { read, total: deadline.elapsedMs() });
  };
}
