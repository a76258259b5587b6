import type { DescribeResponse, Output } from '../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../deadline.ts';
import { formatName } from '../options/contract-words.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import type { HeldBytes } from './memory/held-bytes.ts';
import { priceOfResponse } from './memory/response-price.ts';
import { readRequest } from './request.ts';
import type { ProcessorClient } from './upstream/processor-client.ts';
import { originOf } from './upstream/trace-call.ts';

/** The main path of /v1/describe: describes as JSON the response of /v1/images to the same request. */
export function describeImage(config: ApiConfig, processor: ProcessorClient, held: HeldBytes) {
  return async (c: ApiContext): Promise<Response> => {
    // Before a byte of the body is read.
    processor.checkRoom();
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const { message, names } = await readRequest(c, config, deadline.signal, share);
    // It refuses the same requests as /v1/images. No memory is reserved for the output, because it is not computed.
    priceOfResponse(message, config.responseLimit);
    const room = { maxBytes: config.responseLimit.bytes, take: share.expects };
    c.header('Cache-Control', 'no-store');
    if (message.$typeName === 'image.v1.ProcessVariantsRequest') {
      const { variants } = await processor.describeVariants(message, deadline, originOf(c), room);
      return c.json({
        variants: variants.map((one, index) => ({
          ...(names[index] !== undefined && { name: names[index] }),
          ...descriptionJson(one),
        })),
      });
    }
    return c.json(descriptionJson(await processor.describe(message, deadline, originOf(c), room)));
  };
}

function descriptionJson({ source, outputs, decisions, key, tokens, grid, pages }: DescribeResponse) {
  return {
    ...(source && {
      source: {
        format: formatName(source.format),
        width: source.width,
        height: source.height,
        orientation: source.orientation,
        ...(source.pages > 0 && { pages: source.pages }),
      },
    }),
    outputs: outputs.map(outputJson),
    decisions,
    ...(key !== '' && { key }),
    ...(tokens > 0n && { tokens: Number(tokens) }),
    ...(grid.length > 0 && { grid }),
    ...(pages.length > 0 && { pages: pages.map(({ width, height }) => ({ width, height })) }),
  };
}

function outputJson({ output }: Output) {
  switch (output.case) {
    case 'tensor': {
      const { name, datatype, shape, bytes } = output.value;
      return { name, datatype, shape: shape.map(Number), bytes: Number(bytes) };
    }
    case 'image': {
      const { format, width, height } = output.value;
      return { format: formatName(format), width, height };
    }
    default:
      return {};
  }
}
