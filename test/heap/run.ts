import process from 'node:process';
import { parseArgs } from 'node:util';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { withComment } from '../faults/comment.ts';
import { table } from '../faults/figures.ts';
import { thumbnail } from '../faults/pictures.ts';
import { startMain } from '../faults/processes.ts';
import { startOrigin } from '../support/origin.ts';
import { heapFlags, openHeap } from './heap.ts';

/*
 * npm run test:heap -- [--from N] [--to N]
 *
 * Bytes of JavaScript heap that a request leaves behind for good, in both serving processes together: forced collections
 * after request N and after request M, caches full long before, and one request at a time, so that the workers are idle
 * between two of them. It fails above `mostBytesPerRequest`.
 */

const { values } = parseArgs({
  options: { from: { type: 'string', default: '5000' }, to: { type: 'string', default: '25000' } },
});
const [from, to] = [Number(values.from), Number(values.to)];
const mostBytesPerRequest = 64;
/** Images of one stream. */
const streamLength = 8;

await using stack = new AsyncDisposableStack();
const picture = await thumbnail();
let serial = 0;
const freshPicture = () => Buffer.concat(withComment(picture, `${process.pid} ${serial++}`));
const origin = stack.use(
  await startOrigin((_request, response) => {
    const body = freshPicture();
    response.writeHead(200, { 'content-length': body.length, 'cache-control': 'max-age=60' }).end(body);
  }),
);
const processor = stack.use(
  await startMain(
    'processor',
    // The cache is full after some hundred responses.
    { WORKERS: '2', CACHE_MAX_BYTES: '2000000', URL_ALLOWED_HOSTS: '127.0.0.1' },
    heapFlags,
  ),
);
const api = stack.use(await startMain('api', { PROCESSOR_URL: processor.url }, heapFlags));
const client = createClient(
  ProcessorService,
  createConnectTransport({ baseUrl: api.url, httpVersion: '1.1' }),
);
const heaps = [stack.use(await openHeap(api)), stack.use(await openHeap(processor))];

async function upload(): Promise<number> {
  await readAll(
    await fetch(`${api.url}/v1/images?width=64&height=64`, { method: 'POST', body: freshPicture() }),
  );
  return 1;
}

async function download(): Promise<number> {
  const url = encodeURIComponent(origin.url(`/${serial++}.jpg`));
  await readAll(await fetch(`${api.url}/v1/images?width=64&height=64&url=${url}`));
  return 1;
}

async function stream(): Promise<number> {
  async function* requests() {
    for (let id = 0; id < streamLength; id++) {
      yield {
        id: String(id),
        request: {
          source: { case: 'content' as const, value: freshPicture() },
          resize: { width: 64, height: 64 },
        },
      };
    }
  }
  let images = 0;
  for await (const { result } of client.processStream(requests())) {
    if (result.case !== 'response') throw new Error(`a stream's image failed: ${result.value?.reason}`);
    images++;
  }
  return images;
}

async function readAll(response: Response): Promise<void> {
  const body = await response.bytes();
  if (response.status !== 200) throw new Error(`${response.status} ${Buffer.from(body).toString()}`);
}

/** In turn; uploads are half of all images. */
const kinds = [upload, download, upload, download, upload, upload, stream] as const;
let sent = 0;
async function sendUntil(count: number): Promise<void> {
  for (let turn = 0; sent < count; turn++) sent += await (kinds[turn % kinds.length] as typeof upload)();
}

async function look(): Promise<{ readonly requests: number; readonly bytes: readonly number[] }> {
  const bytes = [];
  for (const heap of heaps) bytes.push(await heap.bytesAfterCollection());
  return { requests: sent, bytes };
}

const started = performance.now();
await sendUntil(from);
const before = await look();
await sendUntil(to);
const after = await look();

const requests = after.requests - before.requests;
const rows = [api, processor].map(({ name }, at) => [
  `image-${name}`,
  ...[before, after].map(({ bytes }) => `${((bytes[at] ?? 0) / 1e6).toFixed(2)} MB`),
  (((after.bytes[at] ?? 0) - (before.bytes[at] ?? 0)) / requests).toFixed(1),
]);
const sum = ({ bytes }: typeof after) => bytes.reduce((total, one) => total + one, 0);
const bytesPerRequest = (sum(after) - sum(before)) / requests;
const holds = bytesPerRequest <= mostBytesPerRequest;
rows.push(['both', '', '', `${bytesPerRequest.toFixed(1)}, promised ≤ ${mostBytesPerRequest}`]);
process.stdout.write(
  table([
    ['heap', `after ${before.requests} requests`, `after ${after.requests}`, 'bytes a request'],
    ...rows,
  ]),
);
process.stdout.write(
  `\n${Math.round((performance.now() - started) / 1000)} s. ${holds ? 'Nothing grows.' : '**The heap grows.**'}\n`,
);
process.exitCode = holds ? 0 : 1;
