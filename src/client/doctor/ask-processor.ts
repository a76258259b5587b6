import { connect, type IncomingHttpHeaders } from 'node:http2';
import { create } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import {
  ProcessorService,
  ProcessRequestSchema,
  type ProcessResponse,
} from '../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../grpc/rpc-failures.ts';
import type { ServiceConnection } from '../job/sending/connection.ts';
import { connectToProcessor } from '../job/sending/processor-connection.ts';
import { endlessPicture, onePixel } from '../probe-images.ts';
import { type Check, type Findings, ok, wrong } from './check.ts';

/**
 * Checks that image-processor serves and processes an image, and reads its versions. Its limits come from its refusals,
 * which name them.
 */
export async function askProcessor(url: URL, timeoutMs: number, signal: AbortSignal): Promise<Findings> {
  const connection = connectToProcessor(url);
  try {
    const health = await askHealth(connection, url, timeoutMs, signal);
    if (health.state !== 'ok') return { checks: [health], versions: {}, limits: {} };
    const image = await askImage(connection, timeoutMs, signal);
    const limits = {
      ...(await askSourceBytes(url, timeoutMs)),
      ...(await askLimits(connection, timeoutMs, signal)),
    };
    const { numericsVersion: numerics, libraries } = image.response?.provenance ?? {};
    const versions = { ...(numerics === undefined ? {} : { numerics }), ...libraries };
    return { checks: [health, image.check], versions, limits };
  } finally {
    await connection.close();
  }
}

async function askHealth(
  connection: ServiceConnection,
  url: URL,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Check> {
  const name = 'image-processor';
  const started = performance.now();
  try {
    if (await connection.isServing(timeoutMs, signal)) {
      return ok(name, `${url.host} serves (${Math.round(performance.now() - started)} ms)`);
    }
    return wrong(
      name,
      `${url.host} responds but does not serve`,
      'It is starting or draining: try again in a moment.',
    );
  } catch (error) {
    signal.throwIfAborted();
    return wrong(
      name,
      `${url.host} does not respond over gRPC: ${ConnectError.from(error).rawMessage}`,
      'Start it (npm start), or set its address with --processor or IMAGE_PROCESSOR_URL. Only jobs with --processor need it.',
    );
  }
}

async function askImage(
  connection: ServiceConnection,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ check: Check; response?: ProcessResponse }> {
  const name = 'image over gRPC';
  try {
    const response = await connection.process(requestOf(onePixel), timeoutMs, signal);
    return { check: ok(name, `${response.contentType}, ${response.width} × ${response.height}`), response };
  } catch (error) {
    signal.throwIfAborted();
    const failure = failureFromConnectError(ConnectError.from(error));
    const words =
      failure === undefined ? ConnectError.from(error).rawMessage : `${failure.reason}: ${failure.message}`;
    return { check: wrong(name, words, "Read the processor's log; docs/errors.md explains the reasons.") };
  }
}

async function askLimits(
  connection: ServiceConnection,
  timeoutMs: number,
  signal: AbortSignal,
): Promise<Record<string, number>> {
  const limitOf = async (variable: string, request: ReturnType<typeof requestOf>) => {
    try {
      await connection.process(request, timeoutMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      const limit = Number(failureFromConnectError(ConnectError.from(error))?.metadata.limit);
      if (limit > 0) return [[variable, limit] as const];
    }
    return [];
  };
  const found = await Promise.all([
    limitOf('MAX_SOURCE_PIXELS', requestOf(endlessPicture)),
    limitOf('MAX_OUTPUT_PIXELS', requestOf(onePixel, { width: 65_535, height: 65_535 })),
  ]);
  return Object.fromEntries(found.flat());
}

/**
 * MAX_SOURCE_BYTES, from the refusal of a message that declares the greatest length of gRPC. The limit includes the
 * message's other fields.
 */
async function askSourceBytes(url: URL, timeoutMs: number): Promise<Record<string, number>> {
  const session = connect(url.origin);
  session.on('error', () => {});
  session.setTimeout(timeoutMs, () => session.destroy());
  try {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/${ProcessorService.typeName}/Process`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('error', () => {});
    // No compression, 2³¹ − 1 bytes (gRPC over HTTP/2, "Length-Prefixed-Message"). None of them follows.
    stream.end(Uint8Array.of(0, 127, 255, 255, 255));
    const { promise, resolve } = Promise.withResolvers<string | undefined>();
    const read = (headers: IncomingHttpHeaders) => {
      const trailers = ['grpc-status', 'grpc-message', 'grpc-status-details-bin'].flatMap((name) =>
        headers[name] === undefined ? [] : [[name, String(headers[name])] as [string, string]],
      );
      const error = findTrailerError(new Headers(trailers));
      if (error !== undefined) resolve(failureFromConnectError(error)?.metadata.limit);
    };
    stream
      .on('response', read)
      .on('trailers', read)
      .on('close', () => resolve(undefined));
    const limit = Number(await promise);
    return limit > 0 ? { MAX_SOURCE_BYTES: limit } : {};
  } finally {
    session.destroy();
  }
}

function requestOf(content: Uint8Array, resize?: { width: number; height: number }) {
  return create(ProcessRequestSchema, {
    source: { case: 'content', value: content },
    ...(resize === undefined ? {} : { resize }),
  });
}
