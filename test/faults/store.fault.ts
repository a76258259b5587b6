import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand } from '@aws-sdk/client-s3';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { Datatype, Pixels, ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { mapConcurrently } from '../../src/map-concurrently.ts';
import { parseObjectUrl } from '../../src/object-storage/object-address.ts';
import { bmpFile } from '../support/bmp.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { type Fault, startFaultProxy } from '../support/s3-faults.ts';
import { s3Program } from '../support/tools.ts';
import { atLeast, exactly, type Figure, type Scenario, told } from './figures.ts';
import { startMain } from './processes.ts';

/** Images of the whole scenario; each is another one. */
const imageCount = Number(process.env.STORE_IMAGES ?? 1000);
const concurrency = 32;
const side = 2;

/** Faults of the storage, each during an equal part of the images. */
const phases: readonly (readonly [what: string, fault: (turn: number) => Fault | undefined])[] = [
  ['in order', () => undefined],
  ['throttled', (turn) => (turn % 2 === 0 ? { code: 'SlowDown', status: 503 } : undefined)],
  ['dropping uploads', (turn) => (turn % 3 === 0 ? 'dropped upload' : undefined)],
  ['losing responses', (turn) => (turn % 3 === 0 ? 'lost response' : undefined)],
  ['slow', () => ({ delayMs: 200 })],
  [
    'refusing the clock',
    (turn) => (turn % 2 === 0 ? { code: 'RequestTimeTooSkewed', status: 403 } : undefined),
  ],
  [
    'with expired credentials',
    (turn) => (turn % 5 === 0 ? { code: 'ExpiredToken', status: 400 } : undefined),
  ],
  ['denied', () => ({ code: 'AccessDenied', status: 403 })],
];

/** Object storage that fails in every way while responses are kept: no response fails, no key has another's bytes. */
export const store: Scenario = {
  name: 'store',
  missing: s3Program === undefined ? 'there is no versitygw on the PATH' : undefined,
  async run() {
    await using stack = new AsyncDisposableStack();
    const server = stack.use(await startS3());
    await server.createBucket('kept');
    const proxy = stack.use(await startFaultProxy(server.endpoint));
    const processor = stack.use(
      await startMain('processor', {
        ...server.environment,
        S3_ENDPOINT: proxy.endpoint,
        STORE_URL: 's3://kept/all',
        WORKERS: '2',
        CACHE_MAX_BYTES: '0',
        MAX_QUEUE: '1000',
      }),
    );
    const figures: Figure[] = [];
    const stored = new Map<number, string>();
    for (const [part, [what, fault]] of phases.entries()) {
      let turn = 0;
      proxy.decide = () => fault(turn++);
      const failed = await sendPart(processor.url, part, stored);
      figures.push(
        exactly(`failed responses, storage ${what}`, failed.length === 0 ? 0 : failed.join(', '), 0),
      );
    }
    proxy.decide = () => undefined;
    await untilKept(processor);
    figures.push(...(await compared(server, stored)));
    return figures;
  },
};

/** The image of a number, and the tensor of its pixels. */
function imageOf(index: number) {
  const colour = [index & 255, (index >> 8) & 255, 77] as const;
  const [red, green, blue] = colour;
  const pixels = Array.from({ length: side * side }, () => [blue, green, red]).flat();
  const tensor = colour.flatMap((value) => Array.from({ length: side * side }, () => value));
  return {
    file: bmpFile({ width: side, height: side, bits: 24, pixels: padded(pixels) }),
    tensor: Buffer.from(tensor),
  };
}

/** Rows of a BMP end at multiples of four bytes. */
function padded(pixels: readonly number[]): number[] {
  const row = side * 3;
  return Array.from({ length: side }, (_, y) => [
    ...pixels.slice(y * row, (y + 1) * row),
    ...Array.from({ length: (4 - (row % 4)) % 4 }, () => 0),
  ]).flat();
}

/** Sends the images of a phase. @returns the reasons of failed or wrong responses */
async function sendPart(url: string, part: number, stored: Map<number, string>): Promise<string[]> {
  const client = createClient(ProcessorService, createGrpcTransport({ baseUrl: url }));
  const count = Math.floor(imageCount / phases.length);
  const indices = async function* () {
    for (let index = part * count; index < (part + 1) * count; index++) yield index;
  };
  const send = async (index: number): Promise<string | undefined> => {
    const { file, tensor } = imageOf(index);
    const output = {
      case: 'tensor',
      value: { datatype: Datatype.UINT8, pixels: Pixels.UNSPECIFIED },
    } as const;
    try {
      const response = await client.process({ source: { case: 'content', value: file }, output });
      if (response.storedUri !== '') stored.set(index, response.storedUri);
      return tensor.equals(response.content) ? undefined : `image ${index} is wrong`;
    } catch (error) {
      return String(error);
    }
  };
  const failed: string[] = [];
  for await (const reason of mapConcurrently(indices(), concurrency, send, new AbortController().signal)) {
    if (reason !== undefined) failed.push(reason);
  }
  return failed;
}

type Processor = Awaited<ReturnType<typeof startMain>>;

/** Waits until the queue is empty: two minutes at most, after which its objects are missing and counted. */
async function untilKept(processor: Processor): Promise<void> {
  for (let seconds = 0; seconds < 120; seconds++) {
    if ((await processor.metrics()).get('image_processor_store_waiting') === 0) return;
    await sleep(1000);
  }
}

async function compared(server: S3Server, stored: ReadonlyMap<number, string>): Promise<Figure[]> {
  const read = async ([index, uri]: readonly [number, string]) => {
    const { bucket, key } = parseObjectUrl(uri);
    const object = await server.client
      .send(new GetObjectCommand({ Bucket: bucket, Key: key }))
      .catch(() => undefined);
    const content = await object?.Body?.transformToByteArray();
    if (content === undefined) return 'missing';
    return imageOf(index).tensor.equals(content) ? 'right' : 'wrong';
  };
  const counts: Record<string, number> = { right: 0, wrong: 0, missing: 0 };
  const entries = async function* () {
    yield* stored;
  };
  for await (const state of mapConcurrently(entries(), concurrency, read, new AbortController().signal)) {
    counts[state] = (counts[state] ?? 0) + 1;
  }
  return [
    exactly('objects with the bytes of another image', counts.wrong ?? 0, 0),
    exactly('objects that were announced and are missing', counts.missing ?? 0, 0),
    atLeast('objects that were kept', counts.right ?? 0, phases.length),
    told('responses whose object was announced', String(stored.size)),
  ];
}
