import { request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { endStreamFromJson, errorFromJsonBytes } from '@connectrpc/connect/protocol-connect';
import { findTrailerError } from '@connectrpc/connect/protocol-grpc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import {
  ProcessBatchRequestSchema,
  ProcessorService,
  ProcessRequestSchema,
  ProcessStreamRequestSchema,
  ProcessVariantsRequestSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { type FailureReason, failureDomain, failureKinds } from '../../src/failures.ts';
import { startGrpcServer } from '../../src/processor/serving/server.ts';
import {
  plainResponse,
  type ScriptedProcessor,
  startScriptedProcessor,
  startTestApi,
  type TestApi,
} from '../support/api.ts';

const maxBytes = 1_000_000;

let scripted: ScriptedProcessor;
let api: TestApi;
let processor: Awaited<ReturnType<typeof startGrpcServer>>;

beforeAll(async () => {
  scripted = await startScriptedProcessor();
  api = await startTestApi({ PROCESSOR_URL: scripted.url, MAX_UPLOAD_BYTES: String(maxBytes) });
  processor = await startGrpcServer(
    (router) =>
      router.service(ProcessorService, {
        process: () => plainResponse,
        async *processStream(all) {
          for await (const { id } of all) yield { id, result: { case: 'response', value: plainResponse } };
        },
      }),
    { host: '127.0.0.1', port: 0, maxSourceBytes: maxBytes },
  );
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await scripted[Symbol.asyncDispose]();
  await processor.drain();
});

interface Response {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
}

type Headers1 = Readonly<Record<string, string>>;
type Send = (path: string, headers: Headers1, body: Buffer, method?: string) => Promise<Response>;

/** Over HTTP/1.1, to image-api. */
const toApi: Send = (path, headers, body, method = 'POST') =>
  new Promise((resolve, reject) => {
    const request = httpRequest(`${api.url}${path}`, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk) => chunks.push(chunk));
      response.on('end', () => {
        const { statusCode: status = 0, headers, trailers } = response;
        resolve({ status, headers, trailers: trailers as IncomingHttpHeaders, body: Buffer.concat(chunks) });
        request.destroy();
      });
    });
    request.on('error', reject);
    request.end(body);
  });

/** Over HTTP/2, to image-processor. */
const toProcessor: Send = (path, headers, body, method = 'POST') =>
  new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${processor.port}`);
    session.on('error', reject);
    const stream = session.request({ ':method': method, ':path': path, ...headers }, { endStream: false });
    const chunks: Buffer[] = [];
    let [status, received, trailers]: [number, IncomingHttpHeaders, IncomingHttpHeaders] = [0, {}, {}];
    stream
      .on('response', ({ ':status': given, ...rest }) => {
        status = given ?? 0;
        received = rest as IncomingHttpHeaders;
      })
      .on('trailers', (given) => {
        trailers = given as IncomingHttpHeaders;
      })
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('error', reject)
      .on('close', () => {
        session.destroy();
        resolve({ status, headers: received, trailers, body: Buffer.concat(chunks) });
      });
    stream.end(body);
  });

function envelope(message: Uint8Array, flags = 0): Buffer {
  const head = Buffer.alloc(5);
  head[0] = flags;
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Envelopes of a body with their flags. */
function* envelopesOf(body: Buffer): Generator<[flags: number, bytes: Buffer]> {
  for (let at = 0; at < body.length; at += 5 + body.readUInt32BE(at + 1)) {
    yield [body[at] as number, body.subarray(at + 5, at + 5 + body.readUInt32BE(at + 1))];
  }
}

function grpcError(headers: IncomingHttpHeaders): ConnectError | undefined {
  return findTrailerError(new Headers(Object.entries(headers).map(([name, value]) => [name, String(value)])));
}

function errorIn({ status, headers, trailers, body }: Response): ConnectError | undefined {
  const contentType = headers['content-type'] ?? '';
  if (contentType.startsWith('application/connect+')) {
    const end = [...envelopesOf(body)].find(([flags]) => flags === 2);
    return end && endStreamFromJson(end[1]).error;
  }
  if (contentType.startsWith('application/grpc-web')) {
    const [, text] = [...envelopesOf(body)].find(([flags]) => flags === 0x80) ?? [];
    const lines = text?.toString().trim().split('\r\n') ?? [];
    return grpcError(
      text === undefined
        ? headers
        : Object.fromEntries(lines.map((line) => line.split(/: ?(.*)/s).slice(0, 2))),
    );
  }
  if (contentType.startsWith('application/grpc')) return grpcError({ ...headers, ...trailers });
  if (status === 200) return undefined;
  return errorFromJsonBytes(body, new Headers(), new ConnectError('not an error of Connect'));
}

/** The reason that a caller can match on. */
function reasonIn(response: Response) {
  const error = errorIn(response);
  const [info] = error?.findDetails(ErrorInfoSchema) ?? [];
  return (
    error && {
      code: error.code,
      reason: info?.reason,
      domain: info?.domain,
      metadata: info?.metadata,
      message: error.rawMessage,
    }
  );
}

const libraryWords =
  /parse binary|premature EOF|protocol error|readMaxBytes|cannot decode|illegal tag|in JSON at|internal error|unknown compression/i;

interface Interface {
  readonly name: string;
  readonly send: Send;
  readonly contentType: string;
  readonly isStream: boolean;
  readonly isBinary: boolean;
  readonly isEnveloped: boolean;
  readonly encodingHeader: string;
  readonly timeoutHeader: string;
}

/** An interface of one service: `type` is '' for Connect, 'grpc-web' or 'grpc'. */
function describeInterface(
  service: string,
  send: Send,
  type: string,
  isBinary: boolean,
  isStream: boolean,
): Interface {
  const isConnect = type === '';
  const encoding = isBinary ? 'proto' : 'json';
  const connect = {
    contentType: `application/${isStream ? 'connect+' : ''}${encoding}`,
    encodingHeader: isStream ? 'connect-content-encoding' : 'content-encoding',
    timeoutHeader: 'connect-timeout-ms',
  };
  const grpc = {
    contentType: `application/${type}+${encoding}`,
    encodingHeader: 'grpc-encoding',
    timeoutHeader: 'grpc-timeout',
  };
  const headers = isConnect ? connect : grpc;
  const cardinality = isStream ? ', streaming' : ', unary';
  return {
    name: `${service}, ${headers.contentType}${isConnect ? '' : cardinality}`,
    send,
    isStream,
    isBinary,
    isEnveloped: isStream || !isConnect,
    ...headers,
  };
}

const interfaces: readonly Interface[] = [
  { name: 'image-api', send: toApi, types: ['', 'grpc-web'] },
  { name: 'image-processor', send: toProcessor, types: ['', 'grpc-web', 'grpc'] },
].flatMap(({ name, send, types }) =>
  types.flatMap((type) =>
    [true, false].flatMap((isBinary) =>
      [true, false].map((isStream) => describeInterface(name, send as Send, type, isBinary, isStream)),
    ),
  ),
);

const processPath = '/image.v1.ProcessorService/Process';
const processStreamPath = '/image.v1.ProcessorService/ProcessStream';

/** A test or group that some interfaces have and others do not: where it does not apply there is none to skip. */
function itWhere(applies: boolean, name: string, test: () => Promise<void>): void {
  if (applies) it(name, test);
}
function describeWhere(applies: boolean, name: string, tests: () => void): void {
  if (applies) describe(name, tests);
}

describe.each(interfaces)(
  '$name',
  ({ send, contentType, isStream, isBinary, isEnveloped, encodingHeader, timeoutHeader }) => {
    const path = isStream ? processStreamPath : processPath;
    const wrapped = (bytes: Uint8Array) => (isEnveloped ? envelope(bytes) : Buffer.from(bytes));
    /** A ProcessRequest in Protobuf or JSON, within a ProcessStreamRequest where the call is a stream. */
    const message = (binary: Buffer, json: string): Buffer => {
      if (!isBinary) return Buffer.from(isStream ? `{"request":${json}}` : json);
      return isStream ? Buffer.concat([Buffer.from([0x12, binary.length]), binary]) : binary;
    };
    const good = message(Buffer.from('120161', 'hex'), '{"url":"a"}');

    async function expectReason(reason: FailureReason, headers: Headers1, body: Buffer): Promise<void> {
      const response = await send(path, { 'content-type': contentType, te: 'trailers', ...headers }, body);
      const found = reasonIn(response);
      expect(found).toMatchObject({ reason, domain: failureDomain, code: failureKinds[reason].code });
      expect(found?.message).not.toMatch(libraryWords);
      expect(response.status).toBeLessThan(500);
    }

    it('accepts a valid message', async () => {
      const response = await send(path, { 'content-type': contentType, te: 'trailers' }, wrapped(good));
      expect(response.status).toBe(200);
      expect(reasonIn(response)).toBeUndefined();
    });

    it.each<[what: string, binary: string, json: string, inBinary: FailureReason, inJson: FailureReason]>([
      ['that is cut off', '12ff', '{"url":"a', 'MESSAGE_INVALID', 'MESSAGE_INVALID'],
      ['of noise', 'ffff', '\u0001', 'MESSAGE_INVALID', 'MESSAGE_INVALID'],
      ['with a wrong type', '0801', '{"url":5}', 'MESSAGE_INVALID', 'OPTION_INVALID'],
      ['with a group or an unknown enum', '7b7c', '{"numerics":"X"}', 'MESSAGE_INVALID', 'OPTION_INVALID'],
      ['with an unknown JSON field', '7b', '{"greyscale":true}', 'MESSAGE_INVALID', 'OPTION_UNKNOWN'],
    ])('refuses a message %s', async (_, binary, json, inBinary, inJson) => {
      const bytes = message(Buffer.from(binary, 'hex'), json);
      await expectReason(isBinary ? inBinary : inJson, {}, wrapped(bytes));
    });

    it('refuses text that is not UTF-8', async () => {
      const bytes = message(Buffer.from('1201ff', 'hex'), '{"url":"?"}');
      const at = isBinary ? bytes.length : bytes.indexOf('?');
      bytes[at] = 0xff;
      await expectReason('MESSAGE_INVALID', {}, wrapped(bytes));
    });

    it('refuses a message that is too long', async () => {
      await expectReason('SOURCE_BYTES_OVER_LIMIT', {}, wrapped(Buffer.alloc(maxBytes + 100_000, 0x20)));
    });

    it.each(['gzip', 'br', 'made-up'])('refuses the compression %s', async (encoding) => {
      await expectReason('COMPRESSION_UNSUPPORTED', { [encodingHeader]: encoding }, wrapped(good));
    });

    it('accepts the compression identity', async () => {
      const headers = { 'content-type': contentType, te: 'trailers', [encodingHeader]: 'identity' };
      expect(reasonIn(await send(path, headers, wrapped(good)))).toBeUndefined();
    });

    it.each(['soon', '-1', '12345678901', 'x y'])('refuses the timeout %j', async (timeout) => {
      await expectReason('REQUEST_INVALID', { [timeoutHeader]: timeout }, wrapped(good));
    });

    describeWhere(isEnveloped, 'with envelopes', () => {
      it.each<[what: string, body: (good: Buffer) => Buffer, reason: FailureReason]>([
        ['half an envelope', () => Buffer.alloc(3), 'MESSAGE_INVALID'],
        ['an envelope without its end', (one) => envelope(one).subarray(0, -1), 'MESSAGE_INVALID'],
        [
          'bytes behind the envelope',
          (one) => Buffer.concat([envelope(one), Buffer.alloc(2)]),
          'MESSAGE_INVALID',
        ],
        ['unknown flags', (one) => envelope(one, 0b100), 'MESSAGE_INVALID'],
        ['a compressed message', (one) => envelope(one, 1), 'COMPRESSION_UNSUPPORTED'],
        [
          'a length over the limit',
          () => Buffer.from([0, 0xff, 0xff, 0xff, 0xff]),
          'SOURCE_BYTES_OVER_LIMIT',
        ],
      ])('refuses %s', async (_, body, reason) => {
        await expectReason(reason, {}, body(good));
      });

      itWhere(!isStream, 'refuses no message, and two', async () => {
        await expectReason('MESSAGE_INVALID', {}, Buffer.alloc(0));
        await expectReason('MESSAGE_INVALID', {}, Buffer.concat([envelope(good), envelope(good)]));
      });
    });

    itWhere(timeoutHeader === 'connect-timeout-ms', 'refuses another version of the protocol', async () => {
      await expectReason('REQUEST_INVALID', { 'connect-protocol-version': '2' }, wrapped(good));
    });

    itWhere(!isStream, 'refuses a batch and variants over their count, by limit and actual', async () => {
      const requests = Array.from({ length: 300 }, () => create(ProcessRequestSchema));
      const batch = isBinary
        ? toBinary(ProcessBatchRequestSchema, create(ProcessBatchRequestSchema, { requests }))
        : Buffer.from(`{"requests":[${'{},'.repeat(299)}{}]}`);
      const headers = { 'content-type': contentType, te: 'trailers' };
      expect(reasonIn(await send(`${processPath}Batch`, headers, wrapped(batch)))).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: { option: 'requests', limit: '256', actual: '300' },
      });
      const variants = isBinary
        ? toBinary(
            ProcessVariantsRequestSchema,
            create(ProcessVariantsRequestSchema, { variants: requests.slice(0, 17) }),
          )
        : Buffer.from(`{"variants":[${'{},'.repeat(16)}{}]}`);
      expect(reasonIn(await send(`${processPath}Variants`, headers, wrapped(variants)))).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: { option: 'variants', limit: '16', actual: '17' },
      });
    });

    itWhere(isStream, 'takes what came before the message that it refuses', async () => {
      const first = isBinary
        ? toBinary(ProcessStreamRequestSchema, create(ProcessStreamRequestSchema, { id: 'a' }))
        : Buffer.from('{"id":"a"}');
      const body = Buffer.concat([envelope(first), envelope(Buffer.from([0xff]))]);
      await expectReason('MESSAGE_INVALID', {}, body);
    });
  },
);

describe('requests that are not calls', () => {
  const problem = ({ status, body }: Response) => ({ status, reason: JSON.parse(body.toString()).reason });
  const ofConnect = (response: Response) => ({ status: response.status, reason: reasonIn(response)?.reason });

  it.each<
    [what: string, method: string, path: string, contentType: string, status: number, reason: FailureReason]
  >([
    [
      'a GET',
      'GET',
      `${processPath}?encoding=json&message=%7B%7D`,
      'application/json',
      405,
      'METHOD_NOT_ALLOWED',
    ],
    ['a PUT', 'PUT', processPath, 'application/json', 405, 'METHOD_NOT_ALLOWED'],
    ['an unknown method', 'POST', `${processPath}s`, 'application/json', 404, 'ROUTE_UNKNOWN'],
    ['no content type', 'POST', processPath, '', 415, 'CONTENT_TYPE_UNSUPPORTED'],
    ['another content type', 'POST', processPath, 'text/html', 415, 'CONTENT_TYPE_UNSUPPORTED'],
    [
      'a stream for a unary method',
      'POST',
      processPath,
      'application/connect+json',
      415,
      'CONTENT_TYPE_UNSUPPORTED',
    ],
    [
      'no stream for a streaming method',
      'POST',
      processStreamPath,
      'application/json',
      415,
      'CONTENT_TYPE_UNSUPPORTED',
    ],
  ])('are refused by both services: %s', async (_, method, path, contentType, status, reason) => {
    const headers = { 'content-type': contentType };
    expect(problem(await toApi(path, headers, Buffer.alloc(0), method))).toEqual({ status, reason });
    expect(ofConnect(await toProcessor(path, headers, Buffer.alloc(0), method))).toEqual({ status, reason });
  });

  it.each<[what: string, contentType: string, path: string, reason: FailureReason]>([
    ['an unknown method', 'application/grpc', '/image.v1.ProcessorService/Delete', 'ROUTE_UNKNOWN'],
    ['an unknown service', 'application/grpc', '/a.B/C', 'ROUTE_UNKNOWN'],
    ['an unknown encoding', 'application/grpc+thrift', processPath, 'CONTENT_TYPE_UNSUPPORTED'],
    ['gRPC-Web as text', 'application/grpc-web-text', processPath, 'CONTENT_TYPE_UNSUPPORTED'],
  ])('have a gRPC status where they are gRPC: %s', async (_, contentType, path, reason) => {
    const response = await toProcessor(
      path,
      { 'content-type': contentType, te: 'trailers' },
      envelope(Buffer.alloc(0)),
    );
    expect(response.status).toBe(200);
    expect(reasonIn(response)).toMatchObject({ reason, code: failureKinds[reason].code });
  });

  it.each(['[', 'a:99999'])('do not end image-processor by the authority %s', async (authority) => {
    const headers = { ':authority': authority, 'content-type': 'application/json' };
    expect(ofConnect(await toProcessor(processPath, headers, Buffer.from('{}')))).toEqual({
      status: 400,
      reason: 'REQUEST_INVALID',
    });
    const good = await toProcessor(processPath, { 'content-type': 'application/json' }, Buffer.from('{}'));
    expect(good.status).toBe(200);
  });

  it('have a reason for an unknown expectation over HTTP/2', async () => {
    const headers = { 'content-type': 'application/json', expect: '200-ok' };
    expect(ofConnect(await toProcessor(processPath, headers, Buffer.from('{}')))).toEqual({
      status: 417,
      reason: 'EXPECTATION_UNSUPPORTED',
    });
  });

  it('have a reason for a deadline that passes while a message is read', async () => {
    const response = await new Promise<Response>((resolve, reject) => {
      const session = connect(`http://127.0.0.1:${processor.port}`);
      const stream = session.request({
        ':method': 'POST',
        ':path': processPath,
        'content-type': 'application/grpc',
        te: 'trailers',
        'grpc-timeout': '50m',
      });
      let trailers: IncomingHttpHeaders = {};
      stream
        .on('trailers', (given) => {
          trailers = given as IncomingHttpHeaders;
        })
        .on('error', reject)
        .on('close', () => {
          session.destroy();
          resolve({
            status: 200,
            headers: { 'content-type': 'application/grpc' },
            trailers,
            body: Buffer.alloc(0),
          });
        });
      stream.write(Buffer.alloc(3));
      stream.resume();
    });
    expect(reasonIn(response)).toMatchObject({ reason: 'DEADLINE_EXCEEDED', code: Code.DeadlineExceeded });
  });
});
