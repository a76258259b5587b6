import { create } from '@bufbuild/protobuf';
import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-web';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import { ProcessorService, ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';

/*
 * A web page's side of the service: the generated client and one of Connect's two transports for browsers.
 * esbuild bundles it and browser.test.ts calls it in a real browser.
 */

/** A response as JSON, the form in which it leaves the page. */
export type PageResponse =
  | { ok: true; content: number[]; contentType: string; width: number; height: number }
  | { ok: false; code: string; reason: string | undefined; message: string };

/** Processes one image, turned gray, as the page's own origin. */
async function callProcessor(
  protocol: 'connect' | 'grpc-web',
  baseUrl: string,
  file: number[],
): Promise<PageResponse> {
  const transport =
    protocol === 'connect' ? createConnectTransport({ baseUrl }) : createGrpcWebTransport({ baseUrl });
  const request = create(ProcessRequestSchema, {
    source: { case: 'content', value: new Uint8Array(file) },
    grayscale: true,
  });
  try {
    const response = await createClient(ProcessorService, transport).process(request, { timeoutMs: 20_000 });
    const { content, contentType, width, height } = response;
    return { ok: true, content: [...content], contentType, width, height };
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    const [info] = error.findDetails(ErrorInfoSchema);
    return { ok: false, code: Code[error.code], reason: info?.reason, message: error.rawMessage };
  }
}

Object.assign(globalThis, { callProcessor });
