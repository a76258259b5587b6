import { once } from 'node:events';
import {
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from '@connectrpc/connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  ProcessorService,
  ProcessRequestSchema,
  ProcessResponseSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { type FailureReason, failureKinds } from '../../../src/failures.ts';
import { webHeaders } from '../../../src/grpc/grpc-message.ts';
import { failureFromConnectError } from '../../../src/grpc/rpc-failures.ts';
import { createGrpcUnary } from '../../../src/processor/serving/grpc-unary.ts';
import { startGrpcServer } from '../../../src/processor/serving/server.ts';

const large = new Uint8Array(100_000).map((_, at) => at * 31);
const message = toBinary(
  ProcessRequestSchema,
  create(ProcessRequestSchema, { source: { case: 'content', value: large } }),
);

function enveloped(bytes: Uint8Array, flags = 0): Buffer {
  const envelope = Buffer.alloc(5);
  envelope[0] = flags;
  envelope.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([envelope, bytes]);
}

const echo: ServiceImpl<typeof ProcessorService>['process'] = ({ source }) => ({
  content: source.case === 'content' ? source.value : new Uint8Array(),
});

/** A server, and streams to its method Process on a bare HTTP/2 session. */
async function started(process = echo) {
  const server = await startGrpcServer((router) => router.service(ProcessorService, { process }), {
    host: '127.0.0.1',
    port: 0,
    maxSourceBytes: 1_000_000,
  });
  const session = connect(`http://127.0.0.1:${server.port}`);
  onTestFinished(async () => {
    session.destroy();
    await server.drain();
  });
  return (headers: OutgoingHttpHeaders = {}) =>
    session.request({
      ':method': 'POST',
      ':path': '/image.v1.ProcessorService/Process',
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
}

function reasonOf(trailers: IncomingHttpHeaders): string | undefined {
  const error = findTrailerError(webHeaders(trailers));
  return error && failureFromConnectError(error)?.reason;
}

async function answerOf(stream: ClientHttp2Stream) {
  const chunks: Buffer[] = [];
  stream.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [[trailers]] = await Promise.all([once(stream, 'trailers'), once(stream, 'close')]);
  return { trailers, body: Buffer.concat(chunks) };
}

describe(createGrpcUnary, () => {
  it.each([[[]], [[5]], [[2, 4, 6]], [[1, 2, 3, 4, 5, 6, 50_000, 99_999]]])(
    'puts a message together that is cut at %j',
    async (cuts) => {
      const open = await started();
      const stream = open();
      const bytes = enveloped(message);
      let from = 0;
      for (const to of [...cuts, bytes.length]) {
        // One frame per write.
        await new Promise((sent) => stream.write(bytes.subarray(from, to), sent));
        from = to;
      }
      stream.end();
      const { trailers, body } = await answerOf(stream);
      expect(trailers['grpc-status']).toBe('0');
      expect(body.readUInt32BE(1)).toBe(body.length - 5);
      expect(Uint8Array.from(fromBinary(ProcessResponseSchema, body.subarray(5)).content)).toEqual(large);
    },
  );

  it('accepts other calls of a connection while its client does not read long responses', async () => {
    // 1.6 GB to send; Node refuses new streams of a session that holds 1 GB.
    const long = new Uint8Array(400_000_000);
    const open = await started(({ source }) => ({
      content: source.case === 'content' ? source.value : long,
    }));
    const unread = Array.from({ length: 4 }, () => {
      const stream = open();
      stream.end(enveloped(new Uint8Array()));
      return stream;
    });
    await Promise.all(unread.map((stream) => once(stream, 'response')));
    const stream = open();
    stream.end(enveloped(message));
    expect((await answerOf(stream)).trailers['grpc-status']).toBe('0');
    for (const one of unread) one.destroy();
  });

  it.each<[what: string, body: Uint8Array, reason: FailureReason]>([
    ['no message', new Uint8Array(), 'MESSAGE_INVALID'],
    ['half an envelope', Buffer.alloc(3), 'MESSAGE_INVALID'],
    ['a message that ends early', enveloped(message).subarray(0, 50_000), 'MESSAGE_INVALID'],
    ['two messages', Buffer.concat([enveloped(message), enveloped(message)]), 'MESSAGE_INVALID'],
    ['a message that is marked as compressed', enveloped(message, 1), 'COMPRESSION_UNSUPPORTED'],
    ['an envelope with unknown flags', enveloped(message, 4), 'MESSAGE_INVALID'],
    ['bytes that are not Protobuf', enveloped(Buffer.from([0x0a, 0xff])), 'MESSAGE_INVALID'],
    ['a message over the limit', enveloped(new Uint8Array(1_100_000)), 'SOURCE_BYTES_OVER_LIMIT'],
  ])('refuses %s with a reason, and keeps the connection', async (_, body, reason) => {
    const open = await started();
    const stream = open();
    stream.end(body);
    const { trailers } = await answerOf(stream);
    expect(trailers['grpc-status']).toBe(String(failureKinds[reason].code));
    expect(reasonOf(trailers)).toBe(reason);
    const next = open();
    next.end(enveloped(message));
    expect((await answerOf(next)).trailers['grpc-status']).toBe('0');
  });

  it('keeps the memory of a message until its response is sent', async () => {
    const open = await started();
    const calls = Array.from({ length: 24 }, async (_, at) => {
      // Arrives at the server while others leave it.
      for (let turn = 0; turn < at % 8; turn++) await new Promise(setImmediate);
      const value = new Uint8Array(300_000).fill(at);
      const request = create(ProcessRequestSchema, { source: { case: 'content', value } });
      const stream = open();
      stream.end(enveloped(toBinary(ProcessRequestSchema, request)));
      const { body } = await answerOf(stream);
      const { content } = fromBinary(ProcessResponseSchema, body.subarray(5));
      return content.length === 300_000 && content.every((one) => one === at);
    });
    expect(await Promise.all(calls)).toEqual(Array(24).fill(true));
  });

  it('passes the deadline to the method, and ends with it', async () => {
    const seen: (number | undefined)[] = [];
    const open = await started(async (_, { timeoutMs, signal }: HandlerContext) => {
      seen.push(timeoutMs());
      await once(signal, 'abort');
      throw signal.reason;
    });
    const stream = open({ 'grpc-timeout': '200m' });
    stream.end(enveloped(message));
    expect((await answerOf(stream)).trailers['grpc-status']).toBe(String(Code.DeadlineExceeded));
    expect(seen[0]).toBeGreaterThan(0);
    expect(seen[0]).toBeLessThanOrEqual(200);
  });

  it('waits at most until the deadline for a message that does not arrive', async () => {
    const open = await started();
    const stream = open({ 'grpc-timeout': '100m' });
    stream.write(enveloped(message).subarray(0, 1000));
    expect((await answerOf(stream)).trailers['grpc-status']).toBe(String(Code.DeadlineExceeded));
  });

  it('aborts the method when its caller leaves', async () => {
    const begun = Promise.withResolvers<void>();
    const left = Promise.withResolvers<unknown>();
    const open = await started(async (_, { signal }: HandlerContext) => {
      begun.resolve();
      await once(signal, 'abort');
      left.resolve(signal.reason);
      return {};
    });
    const stream = open();
    stream.end(enveloped(message));
    await begun.promise;
    stream.close(constants.NGHTTP2_CANCEL);
    expect(ConnectError.from(await left.promise).code).toBe(Code.Canceled);
  });

  it("sends a method's own error with its details, and nothing of any other", async () => {
    const open = await started(({ source }) => {
      if (source.case === undefined) throw new Error('a secret');
      throw new ConnectError('über', Code.NotFound, { 'x-told': 'yes' });
    });
    const failed = open();
    failed.end(enveloped(message));
    expect((await answerOf(failed)).trailers).toMatchObject({
      'grpc-status': String(Code.NotFound),
      'grpc-message': '%C3%BCber',
      'x-told': 'yes',
    });
    const secret = open();
    secret.end(enveloped(new Uint8Array()));
    expect((await answerOf(secret)).trailers).toMatchObject({
      'grpc-status': String(Code.Internal),
      'grpc-message': expect.stringContaining('on%20our%20side'),
    });
  });

  it('resets a stream whose response cannot be sent, and keeps the connection', async () => {
    const open = await started(({ source }) => {
      if (source.case === undefined) throw new ConnectError('\ud83d', Code.NotFound);
      return {};
    });
    const stream = open();
    const closed = new Promise((resolve) => stream.on('error', () => {}).on('close', resolve));
    stream.end(enveloped(new Uint8Array()));
    await closed;
    expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    const next = open();
    next.end(enveloped(message));
    expect((await answerOf(next)).trailers['grpc-status']).toBe('0');
  });

  it.each([
    ['JSON', { 'content-type': 'application/grpc+json' }, enveloped(Buffer.from('{}')), '0'],
    ['a compression', { 'grpc-encoding': 'gzip' }, enveloped(message), String(Code.Unimplemented)],
    ['a timeout that is none', { 'grpc-timeout': 'soon' }, enveloped(message), String(Code.InvalidArgument)],
  ])("leaves %s to Connect's adapter", async (_, headers, body, status) => {
    const open = await started();
    const stream = open(headers);
    stream.end(body);
    expect((await answerOf(stream)).trailers['grpc-status']).toBe(status);
  });
});
