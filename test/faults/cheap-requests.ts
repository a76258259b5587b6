import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import {
  Datatype,
  ProcessBatchRequestSchema,
  ProcessRequestSchema,
  ProcessVariantsRequestSchema,
} from '../../gen/image/v1/processor_pb.ts';
import type { FailureReason } from '../../src/failures.ts';
import { crowdedJpeg, jpegTiledTiff } from '../support/crowded-files.ts';
import { encoded, photoLike, solid } from '../support/pictures.ts';
import { pngChunk } from '../support/png.ts';
import { type Attempt, envelope, type HostileCaller } from './hostile-caller.ts';

/*
 * Requests that cost their caller little and could take much. The right outcome is named with each: the limits that these
 * outcomes name are those of manifests/base.
 */

/** Where a row sends its requests. */
export interface Target {
  /** `http://127.0.0.1:port` of image-api and image-processor. */
  readonly api: string;
  readonly processor: string;
  /** URLs of origins that send a byte a second. */
  readonly trickling: readonly string[];
  /** Callers at addresses of their own, of which none is the address of the honest requests. */
  readonly callers: readonly [HostileCaller, ...HostileCaller[]];
}

export interface CheapRow {
  readonly what: string;
  /** The outcomes that are right: `OK`, reasons, and what an `Attempt` names besides. */
  readonly expected: readonly (FailureReason | 'OK' | 'open' | 'closed' | 'unread')[];
  /** Sends the requests. @returns the outcome of each */
  run(target: Target): Promise<readonly string[]>;
}

/** Time that what stays open is left open, in milliseconds. */
const holdMs = 4000;
/** Longest time that a response may take, in milliseconds. */
const responseMs = 12_000;

const onePixel = (): Promise<Uint8Array> => encoded(solid(1, 1, [200, 30, 60]), 'png');
const rpcPath = '/image.v1.ProcessorService/';

/** Opens them at a pace of 500 a second: the row is about what stays open, not about a burst. */
async function held(count: number, open: (index: number) => Attempt, ms = holdMs): Promise<string[]> {
  const attempts: Attempt[] = [];
  for (let index = 0; index < count; index++) {
    attempts.push(open(index));
    if (index % 10 === 9) await sleep(20);
  }
  await sleep(ms);
  return attempts.map((attempt) => attempt.outcome());
}

function finished(attempts: readonly Attempt[]): Promise<string[]> {
  return Promise.all(attempts.map((attempt) => attempt.within(responseMs)));
}

function callerOf({ callers }: Target, index: number): HostileCaller {
  return callers[index % callers.length] as HostileCaller;
}

/** 1 × 1 pixels that ask for a raw FP32 tensor of `side` × `side` × 3. */
async function tensorRequest(side: number) {
  return create(ProcessRequestSchema, {
    source: { case: 'content', value: await onePixel() },
    ...tensorOptions(side),
  });
}

const tensorOptions = (side: number) => ({
  resize: { width: side, height: side },
  output: { case: 'tensor' as const, value: { datatype: Datatype.FP32 } },
});

const idleStream = {
  path: `${rpcPath}ProcessStream`,
  contentType: 'application/connect+proto',
  isOpen: true,
};

const idle: readonly CheapRow[] = [
  {
    what: '64 streams of one caller without a message, Connect',
    expected: ['open', 'STREAMS_OVER_LIMIT'],
    run: ({ api, callers: [caller] }) => held(64, () => caller.send(api, idleStream)),
  },
  {
    what: '800 streams of 32 callers without a message, Connect',
    expected: ['open', 'STREAMS_OVER_LIMIT'],
    run: (target) => held(800, (index) => callerOf(target, index).send(target.api, idleStream)),
  },
  {
    what: '800 streams of 32 callers without a message, gRPC at image-processor',
    expected: ['open', 'STREAMS_OVER_LIMIT', 'STREAM_IDLE'],
    run: (target) =>
      held(800, (index) =>
        callerOf(target, index).call(target.processor, 'ProcessStream', Buffer.alloc(0), false),
      ),
  },
  {
    what: '300 half-sent messages of one caller, gRPC at image-processor',
    expected: ['open', 'OVERLOADED'],
    run: ({ processor, callers: [caller] }) =>
      held(300, () => caller.call(processor, 'Process', envelope(Buffer.alloc(10), 1_000_000), false)),
  },
  {
    what: '500 half-sent headers, then nothing',
    expected: ['REQUEST_TIMEOUT', 'closed'],
    run: ({ api, callers: [caller] }) =>
      held(500, () => caller.write(api, 'POST /v1/images HTTP/1.1\r\nHost: x\r\nX-A: '), responseMs),
  },
  {
    what: '1500 connections of 32 callers without a byte, at each service',
    // A connection has 10 s for its first request.
    expected: ['open', 'closed', 'REQUEST_TIMEOUT'],
    run: (target) =>
      held(3000, (index) =>
        callerOf(target, index).write(index % 2 === 0 ? target.api : target.processor, ''),
      ),
  },
  {
    what: '96 uploads that declare 32 MiB and send nothing',
    expected: ['open'],
    async run({ api, callers: [caller] }) {
      const head = (type: string) =>
        `POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: 33554000\r\n\r\n`;
      return held(96, (index) =>
        caller.write(api, head(index % 2 === 0 ? 'image/jpeg' : 'multipart/form-data; boundary=x')),
      );
    },
  },
];

const mebibyte = 1024 ** 2;

/** A message that is small on the wire and large on the heap, to both services where it is Protobuf. */
function bomb(
  name: string,
  method: string,
  expected: CheapRow['expected'],
  mebibytes: number,
  make: (bytes: number) => string | Buffer,
): CheapRow {
  const isJson = name.startsWith('JSON');
  return {
    what: `${name}, ${mebibytes} MiB to ${method}`,
    expected,
    async run({ api, processor, callers: [caller] }) {
      const body = Buffer.from(make(mebibytes * mebibyte));
      const contentType = isJson ? 'application/json' : 'application/proto';
      const attempts = [caller.send(api, { path: rpcPath + method, contentType, body })];
      if (!isJson) {
        const framed = envelope(body);
        const path = rpcPath + method;
        attempts.push(
          caller.send(api, { path, contentType: 'application/grpc-web+proto', body: framed }),
          caller.call(processor, method, framed),
        );
      }
      return finished(attempts);
    },
  };
}

const repeated = (bytes: number, piece: readonly number[]): Buffer => Buffer.alloc(bytes, Buffer.from(piece));

const messages: readonly CheapRow[] = [
  bomb('empty requests', 'ProcessBatch', ['OPTION_INVALID'], 3, (bytes) => repeated(bytes, [0x0a, 0])),
  bomb('empty variants', 'ProcessVariants', ['OPTION_INVALID'], 3, (bytes) => repeated(bytes, [0x1a, 0])),
  bomb('JSON of empty requests', 'ProcessBatch', ['OPTION_INVALID', 'MESSAGE_INVALID'], 3, (bytes) => {
    return `{"requests":[${'{},'.repeat(bytes / 3)}{}]}`;
  }),
  bomb('JSON of nested arrays', 'Process', ['MESSAGE_INVALID'], 30, (bytes) => {
    return `{"x":${'['.repeat(bytes / 2)}${']'.repeat(bytes / 2)}}`;
  }),
  bomb('unknown fields', 'Process', ['MESSAGE_INVALID'], 30, (bytes) => repeated(bytes, [0x78, 0])),
  bomb('nested groups', 'Process', ['MESSAGE_INVALID'], 30, (bytes) => repeated(bytes, [0x7b])),
  {
    what: 'bytes that are no message, at every interface',
    expected: ['MESSAGE_INVALID'],
    async run({ api, processor, callers: [caller] }) {
      const broken = Buffer.from([0xff, 0xff]);
      const unary = ['Process', 'ProcessVariants', 'ProcessBatch'];
      const attempts = unary.flatMap((method) => [
        caller.send(api, { path: rpcPath + method, contentType: 'application/proto', body: broken }),
        caller.send(api, { path: rpcPath + method, contentType: 'application/json', body: broken }),
        caller.send(api, {
          path: rpcPath + method,
          contentType: 'application/grpc-web+proto',
          body: envelope(broken),
        }),
        caller.call(processor, method, envelope(broken)),
      ]);
      const path = `${rpcPath}ProcessStream`;
      attempts.push(
        caller.send(api, { path, contentType: 'application/connect+proto', body: envelope(broken) }),
        caller.call(processor, 'ProcessStream', envelope(broken)),
      );
      return finished(attempts);
    },
  },
];

const images: readonly CheapRow[] = [
  {
    what: 'twice a JPEG of 20,000 scans, and as tiles of a TIFF',
    expected: ['SOURCE_PASSES_OVER_LIMIT'],
    async run({ api, callers: [caller] }) {
      const jpeg = crowdedJpeg(1440, 1456, 20_000);
      const tiles = jpegTiledTiff(4096, 4096, crowdedJpeg(256, 256, 2000));
      return finished(
        [jpeg, jpeg, tiles, tiles].map((body) =>
          caller.send(api, { path: '/v1/images', contentType: 'application/octet-stream', body }),
        ),
      );
    },
  },
  {
    what: 'three JPEGs of 20,000 scans of 16 megapixels, then plain ones',
    expected: ['SOURCE_PASSES_OVER_LIMIT', 'OK'],
    async run({ api, callers: [caller] }) {
      const post = (body: Uint8Array) =>
        caller.send(api, { path: '/v1/images?width=64&height=64', contentType: 'image/jpeg', body });
      const jpeg = crowdedJpeg(4096, 4032, 20_000);
      const refused = await finished([jpeg, jpeg, jpeg].map(post));
      const plain = await encoded(photoLike(1600, 1200), 'jpeg');
      const done: string[] = [];
      for (let count = 0; count < 5; count++) done.push(...(await finished([post(plain)])));
      return [...refused, ...done];
    },
  },
  {
    what: 'a PNG of one pixel with 30 MB of text',
    expected: ['OK'],
    async run({ api, callers: [caller] }) {
      const png = Buffer.from(await onePixel());
      const text = Buffer.concat([Buffer.from('Comment\0'), Buffer.alloc(30_000_000, 'word ')]);
      const body = Buffer.concat([png.subarray(0, 33), pngChunk('tEXt', text), png.subarray(33)]);
      return finished([caller.send(api, { path: '/v1/images', contentType: 'image/png', body })]);
    },
  },
];

const downloads: readonly CheapRow[] = [40, 80].map((count) => ({
  what: `${count} downloads at a byte a second, again and again`,
  expected: ['open', 'OVERLOADED', 'ORIGIN_TIMEOUT'],
  async run(target: Target) {
    const { api, trickling } = target;
    const until = performance.now() + 6000;
    const ask = async (index: number): Promise<string[]> => {
      const outcomes: string[] = [];
      for (let round = 0; performance.now() < until; round++) {
        const url = `${trickling[index % trickling.length]}?${index}-${round}`;
        const body = Buffer.from(JSON.stringify({ url, width: 8, height: 8 }));
        const attempt = callerOf(target, count === 40 ? 0 : index).send(api, {
          path: '/v1/images',
          contentType: 'application/json',
          body,
        });
        outcomes.push(await attempt.within(Math.max(0, until - performance.now())));
        await sleep(1000);
      }
      return outcomes;
    };
    return (await Promise.all(Array.from({ length: count }, (_, index) => ask(index)))).flat();
  },
}));

const rawPath = (side: number): string =>
  `/v1/images?width=${side}&height=${side}&grayscale=false&format=raw`;

async function stalled({ api, callers: [caller] }: Target, side: number): Promise<string[]> {
  const body = await onePixel();
  const head = `POST ${rawPath(side)} HTTP/1.1\r\nHost: x\r\nContent-Type: image/png\r\nContent-Length: ${body.length}\r\n\r\n`;
  return held(14, () => caller.write(api, Buffer.concat([Buffer.from(head), body])), 8000);
}

const responses: readonly CheapRow[] = [
  {
    what: '14 readers who stall, of 254 MB each',
    expected: ['OUTPUT_BYTES_OVER_LIMIT'],
    run: (target) => stalled(target, 4600),
  },
  {
    what: '14 readers who stall, of 48 MB each',
    expected: ['unread', 'open', 'OVERLOADED'],
    run: (target) => stalled(target, 2000),
  },
  {
    what: '6 readers of 265 MB, and 6 of 48 MB',
    expected: ['OUTPUT_BYTES_OVER_LIMIT', 'OK', 'OVERLOADED'],
    async run({ api, callers: [caller] }) {
      const body = await onePixel();
      return finished(
        [4700, 2000].flatMap((side) =>
          Array.from({ length: 6 }, () =>
            caller.send(api, { path: rawPath(side), contentType: 'image/png', body }),
          ),
        ),
      );
    },
  },
  {
    what: '16 variants of 4600 × 4600, Connect and gRPC',
    expected: ['OUTPUT_BYTES_OVER_LIMIT'],
    async run({ api, processor, callers: [caller] }) {
      const message = create(ProcessVariantsRequestSchema, {
        source: { case: 'content', value: await onePixel() },
        variants: Array.from({ length: 16 }, () => create(ProcessRequestSchema, tensorOptions(4600))),
      });
      const body = Buffer.from(toBinary(ProcessVariantsRequestSchema, message));
      const path = `${rpcPath}ProcessVariants`;
      return finished([
        caller.send(api, { path, contentType: 'application/proto', body }),
        caller.call(processor, 'ProcessVariants', envelope(body)),
      ]);
    },
  },
  {
    what: 'one pixel to a tensor of 5000 × 5000, HTTP and gRPC',
    expected: ['OUTPUT_BYTES_OVER_LIMIT'],
    async run({ api, processor, callers: [caller] }) {
      const message = toBinary(ProcessRequestSchema, await tensorRequest(5000));
      return finished([
        caller.send(api, { path: rawPath(5000), contentType: 'image/png', body: await onePixel() }),
        caller.call(processor, 'Process', envelope(message)),
      ]);
    },
  },
  {
    what: 'a batch of 60 tensors of 640 × 640, Connect and gRPC',
    expected: ['OUTPUT_BYTES_OVER_LIMIT'],
    async run({ api, processor, callers: [caller] }) {
      const one = await tensorRequest(640);
      const message = create(ProcessBatchRequestSchema, { requests: Array.from({ length: 60 }, () => one) });
      const body = Buffer.from(toBinary(ProcessBatchRequestSchema, message));
      const path = `${rpcPath}ProcessBatch`;
      return finished([
        caller.send(api, { path, contentType: 'application/proto', body }),
        caller.call(processor, 'ProcessBatch', envelope(body)),
      ]);
    },
  },
];

export const cheapRows: readonly CheapRow[] = [...idle, ...messages, ...images, ...downloads, ...responses];
