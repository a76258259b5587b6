import { connect, constants } from 'node:http2';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  GivenTensorSchema,
  type ProcessRequest,
  ProcessRequestSchema,
  ProcessStreamRequestSchema,
  type SkewRequest,
  SkewRequestSchema,
  TensorContainer,
} from '../../gen/image/v1/processor_pb.ts';
import { grpcCode, isFailureReason } from '../../src/failures.ts';
import { imageOptionNames } from '../../src/options/image-options.ts';
import { type ServiceProcess, startMain } from '../faults/processes.ts';
import { mutatedConfig } from './configs.ts';
import { imageCorpus } from './corpus.ts';
import type { Case, Door, Outcome } from './door.ts';
import { boundary, mutatedForm, npy } from './forms.ts';
import { mutated } from './mutate.ts';
import { randomRequest } from './plans.ts';
import type { Random } from './random.ts';

const limits = { MAX_SOURCE_PIXELS: '2000000', MAX_OUTPUT_PIXELS: '1000000', MAX_SOURCE_BYTES: '1000000' };
/** Longest wait for a response, in milliseconds. */
const hangMs = 20_000;

/** Reasons that say that something of ours went wrong; nothing that a caller sends may bring one about. */
const ours = new Set([
  'INTERNAL',
  'WORKER_CRASHED',
  'PROCESSOR_UNAVAILABLE',
  'DEADLINE_EXCEEDED',
  'OVERLOADED',
]);

/** Both services as processes, and the interface of each. */
export async function openServiceDoors(): Promise<readonly Door[]> {
  const corpus = await imageCorpus();
  const processor = await startMain('processor', { WORKERS: '1', ...limits });
  const api = await startMain('api', { PROCESSOR_URL: processor.url, MAX_UPLOAD_BYTES: '1000000' });
  return [httpDoor(api, corpus), grpcDoor(processor, corpus)];
}

/** The API's reading of requests: query, JSON, forms, raw bytes and their headers. */
function httpDoor(api: ServiceProcess, corpus: readonly Buffer[]): Door {
  return {
    name: 'http',
    share: 10,
    make(random): Case {
      const { path, body, contentType, headers } = httpRequest(random, corpus);
      return {
        input: {
          body,
          'request.txt': `POST ${path}\ncontent-type: ${contentType}\n${JSON.stringify(headers)}`,
        },
        async run(): Promise<Outcome> {
          try {
            const answer = await fetch(api.url + path, {
              method: 'POST',
              body: new Uint8Array(body),
              headers: { 'content-type': contentType, ...headers },
              signal: AbortSignal.timeout(hangMs),
            });
            const type = answer.headers.get('content-type') ?? '';
            if (answer.status === 200 || answer.status === 304) {
              await answer.arrayBuffer();
              return { reason: 'OK' };
            }
            const { reason } = (type === 'application/problem+json' ? await answer.json() : {}) as {
              reason?: string;
            };
            if (reason !== undefined && isFailureReason(reason) && !ours.has(reason)) return { reason };
            return {
              reason: String(reason),
              finding: `${answer.status} ${type} ${reason}\n${api.log.slice(-3).join('\n')}`,
            };
          } catch (error) {
            const how = api.hasExited
              ? `image-api ended:\n${api.log.slice(-20).join('\n')}`
              : String((error as Error).cause ?? error);
            return { reason: 'no answer', finding: how };
          }
        },
      };
    },
    [Symbol.asyncDispose]: () => api[Symbol.asyncDispose](),
  };
}

const oddTexts = [
  ...[
    '',
    '0',
    '-1',
    '1e3',
    '224',
    '65536',
    '99999999999999999999',
    'NaN',
    'true',
    'false',
    'source',
    'npy',
    'raw',
    'cover',
  ],
  ...[
    '#ff0000',
    '0.5,0.5,0.5',
    ',,,',
    '[]',
    '{}',
    '\u0000',
    '\ud800',
    'ä'.repeat(200),
    '%',
    '__proto__',
    '../../etc/passwd',
  ],
  ...[
    'http://127.0.0.1:1/',
    'file:///etc/passwd',
    'data:image/gif;base64,R0lGODlh',
    'http://[::1',
    '//x',
    'https://',
  ],
  '[{"width":8,"height":8},{"format":"jpeg"}]',
  JSON.stringify(Array.from({ length: 17 }, () => ({}))),
  '[null]',
];
const names = [
  ...imageOptionNames,
  ...['variants', 'image', 'tensor', 'picture', 'shape', 'tensor_name', 'map', '__proto__'],
  ...['constructor', 'Width', 'with', ''],
];
const contentTypes = [
  ...[
    '',
    'image/jpeg',
    'IMAGE/PNG; x=y',
    'application/octet-stream',
    'text/plain',
    'application/json; charset=utf-16',
    ';',
  ],
  ...[
    'application/x-www-form-urlencoded',
    `multipart/form-data; boundary=${boundary}`,
    'multipart/form-data',
  ],
];

interface HttpRequest {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly contentType: string;
}

function httpRequest(random: Random, corpus: readonly Buffer[]): HttpRequest {
  const pairs = (): [string, string][] =>
    Array.from({ length: random.below(4) }, () => [random.pick(names), oddText(random)]);
  const route = random.oneIn(4) ? '/v1/skew' : '/v1/images';
  const path = random.oneIn(20)
    ? `${route}?${random.bytes(random.below(40)).toString('base64url')}&&=&a=%zz&%`
    : `${route}?${new URLSearchParams(random.oneIn(2) ? pairs() : [])}`;
  const headers: Record<string, string> = {};
  if (random.oneIn(20))
    headers['content-encoding'] = random.pick(['gzip', 'identity', 'br, gzip', 'x'.repeat(200)]);
  if (random.oneIn(20)) headers['x-request-id'] = random.pick(['a b', 'x'.repeat(500), '{}', '1']);
  if (random.oneIn(20)) headers['if-none-match'] = random.pick(['*', '"', 'W/"x", "y"', ',,,']);
  switch (random.below(5)) {
    case 0:
      return {
        path,
        headers,
        body: leadingNowhere(mutatedForm(random)),
        contentType: `multipart/form-data; boundary=${boundary}`,
      };
    case 1:
      return { path, headers, body: jsonBody(random), contentType: 'application/json' };
    case 2:
      return {
        path,
        headers,
        body: Buffer.from(new URLSearchParams(pairs()).toString()),
        contentType: 'application/x-www-form-urlencoded',
      };
    case 3:
      return {
        path,
        headers,
        body: Buffer.from(random.bytes(random.below(200))),
        contentType: random.pick(contentTypes),
      };
    default: {
      const body = random.oneIn(2) ? random.pick(corpus) : mutated(random, corpus).content;
      return { path, headers, body, contentType: random.oneIn(2) ? 'image/jpeg' : random.pick(contentTypes) };
    }
  }
}

function oddText(random: Random): string {
  return random.oneIn(10) ? mutatedConfig(random) : random.pick(oddTexts);
}

function jsonBody(random: Random): Buffer {
  const values = [...oddTexts, null, 1, 1.5, true, [], {}, [1, 2, 3], [[1]], { a: { b: {} } }];
  const object = Object.fromEntries(
    Array.from({ length: random.below(5) }, () => [random.pick([...names, 'url']), random.pick(values)]),
  );
  const text = random.oneIn(20) ? '['.repeat(50_000) : JSON.stringify(object);
  return random.oneIn(3) ? leadingNowhere(mutated(random, [Buffer.from(text)]).content) : Buffer.from(text);
}

/**
 * Bytes after a mutation, without a URL that could lead somewhere: nothing here may leave the loopback. Those texts
 * that weren't changed name addresses that nothing is downloaded from.
 */
function leadingNowhere(content: Buffer): Buffer {
  for (let at = content.indexOf('ttp'); at !== -1; at = content.indexOf('ttp', at)) content.write('xxx', at);
  for (let at = content.indexOf('TTP'); at !== -1; at = content.indexOf('TTP', at)) content.write('XXX', at);
  return content;
}

/** Connect's words for what is no message; gRPC's own code for that is INTERNAL (statuscodes.md), and no reason is ours. */
const notAMessage = /^(parse binary:|protocol error:|received compressed envelope)/;

/** The processor's gRPC interface: protobuf messages with other bytes, in frames with other lengths. */
function grpcDoor(processor: ServiceProcess, corpus: readonly Buffer[]): Door {
  const session = connect(processor.url);
  session.on('error', () => {});
  const expected = new Set<number>([
    ...[grpcCode.INVALID_ARGUMENT, grpcCode.RESOURCE_EXHAUSTED, grpcCode.NOT_FOUND, grpcCode.UNIMPLEMENTED],
    ...[grpcCode.PERMISSION_DENIED, grpcCode.FAILED_PRECONDITION],
  ]);
  return {
    name: 'grpc',
    share: 7,
    make(random): Case {
      const method = random.pick(['Process', 'Process', 'ProcessStream', 'Skew'] as const);
      const frame = grpcFrame(random, corpus, method);
      return {
        input: { frame, 'method.txt': method },
        async run(): Promise<Outcome> {
          const { status, message, error } = await grpcStatus(session, method, frame);
          if (status === grpcCode.INTERNAL && notAMessage.test(message)) return { reason: 'not a message' };
          const reason = error ?? (status === 0 ? 'OK' : `code ${status}`);
          if (error === undefined && (status === 0 || (status !== undefined && expected.has(status))))
            return { reason };
          const log = processor.log.slice(-3).join('\n');
          return {
            reason,
            finding: `${processor.hasExited ? 'image-processor ended; ' : ''}${reason} ${message}\n${log}`,
          };
        },
      };
    },
    async [Symbol.asyncDispose]() {
      session.destroy();
      await processor[Symbol.asyncDispose]();
    },
  };
}

/** Tensors of 1 × 3 × 1 × 1. */
const tensors: readonly Buffer[] = [
  npy,
  safetensorsOf('{"x":{"dtype":"F32","shape":[1,3,1,1],"data_offsets":[0,12]}}', 12),
];

function safetensorsOf(header: string, bytes: number): Buffer {
  const file = Buffer.alloc(8 + header.length + bytes);
  file.writeUInt32LE(header.length);
  file.write(header, 8);
  return file;
}

type FuzzedMethod = 'Process' | 'ProcessStream' | 'Skew';

function messageOf(random: Random, request: ProcessRequest, method: FuzzedMethod): Uint8Array {
  if (method === 'Process') return toBinary(ProcessRequestSchema, request);
  if (method === 'Skew')
    return toBinary(
      SkewRequestSchema,
      create(SkewRequestSchema, { request, given: givenOf(random), map: random.oneIn(2) }),
    );
  const id = 'x'.repeat(random.below(300));
  return toBinary(ProcessStreamRequestSchema, create(ProcessStreamRequestSchema, { id, request }));
}

/** Raw values, mostly of another length than their shape says, or a file that something is wrong with. */
function givenOf(random: Random): SkewRequest['given'] {
  const content = random.oneIn(2) ? random.bytes(random.below(400)) : mutated(random, tensors).content;
  if (random.oneIn(5)) return { case: 'picture', value: new Uint8Array(content) };
  const shape = Array.from({ length: random.below(6) }, () =>
    BigInt(random.pick([-1, 0, 1, 3, 4, 8, 2 ** 40])),
  );
  const tensor = create(GivenTensorSchema, {
    content: new Uint8Array(content),
    container: random.oneIn(2) ? TensorContainer.UNSPECIFIED : (random.below(9) as TensorContainer),
    datatype: random.pick(['', 'FP32', 'UINT8', 'BF16', 'BOOL', 'fp32']),
    name: random.oneIn(4) ? random.pick(oddTexts) : '',
    shape,
  });
  return { case: 'tensor', value: tensor };
}

function grpcFrame(random: Random, corpus: readonly Buffer[], method: FuzzedMethod): Buffer {
  const request = randomRequest(random);
  if (!random.oneIn(10))
    request.source = {
      case: 'content',
      value: new Uint8Array(random.oneIn(3) ? random.pick(corpus) : mutated(random, corpus).content),
    };
  else if (random.oneIn(2)) request.source = { case: 'url', value: random.pick(oddTexts) };
  let message: Buffer = Buffer.from(messageOf(random, request, method));
  if (random.oneIn(2)) message = leadingNowhere(mutated(random, [message]).content);
  const head = Buffer.alloc(5);
  head.writeUInt8(random.oneIn(30) ? random.below(256) : 0);
  const length = random.oneIn(15)
    ? random.pick([0, message.length + 1, message.length - 1, 2 ** 31, 2 ** 32 - 1])
    : message.length;
  head.writeUInt32BE(Math.max(0, length), 1);
  return Buffer.concat([head, message]);
}

function grpcStatus(
  session: ReturnType<typeof connect>,
  method: string,
  frame: Buffer,
): Promise<{ status?: number; message: string; error?: string }> {
  return new Promise((resolve) => {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: `/image.v1.ProcessorService/${method}`,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let fields: Record<string, unknown> = {};
    const timer = setTimeout(() => {
      stream.destroy();
      resolve({ message: '', error: 'it hangs' });
    }, hangMs);
    stream.on('response', (headers) => Object.assign(fields, headers));
    stream.on('trailers', (trailers) => {
      fields = { ...fields, ...trailers };
    });
    stream.on('error', () => {});
    stream.on('close', () => {
      clearTimeout(timer);
      const status = fields['grpc-status'];
      const message = decodeURIComponent(String(fields['grpc-message'] ?? ''));
      resolve(
        status === undefined
          ? { message, error: 'it ended without a status' }
          : { status: Number(status), message },
      );
    });
    stream.resume();
    stream.end(frame);
  });
}
