import { create } from '@bufbuild/protobuf';
import {
  Datatype,
  Filter,
  ImageFormat,
  Layout,
  type ProcessRequest,
  ProcessRequestSchema,
} from '../gen/image/v1/processor_pb.ts';
import { createProcessorClient } from '../src/api/upstream/processor-client.ts';
import { startDeadline } from '../src/deadline.ts';
import type { LoopDelay } from './attached.ts';
import { reach } from './figures.ts';
import { nextSerial, withMark } from './load.ts';
import { benchArguments, inParallel, printTable } from './measure.ts';
import { benchPictures } from './pictures.ts';
import { startMain, workers } from './services.ts';

/*
 * How long the processor's main thread, which responds to health checks, is kept from its next event while all
 * workers are busy: a real image-processor, loaded by this process over gRPC.
 */

const options = benchArguments();
const inFlight = 8;
const count = options.quick ? 32 : 160;

const pictures = await benchPictures(options.images);
const processor = await startMain('processor', { WORKERS: String(workers) });
const client = createProcessorClient(`http://127.0.0.1:${processor.port}`, 256 * 1024 * 1024);

type Task = (content: Uint8Array) => ProcessRequest;
const grayJpeg: Task = (content) =>
  create(ProcessRequestSchema, {
    source: { case: 'content', value: content },
    resize: { width: 1024, height: 768, filter: Filter.BILINEAR },
    grayscale: true,
    output: { case: 'image', value: { format: ImageFormat.JPEG } },
  });
const tensor: Task = (content) =>
  create(ProcessRequestSchema, {
    source: { case: 'content', value: content },
    resize: { width: 224, height: 224, filter: Filter.BILINEAR },
    output: { case: 'tensor', value: { datatype: Datatype.FP32, layout: Layout.NCHW } },
  });
const loads: readonly [name: string, sources: readonly Uint8Array[], task: Task, width: number][] = [
  ['6 MP JPEG → 1024 × 768 gray JPEG', pictures.jpeg, grayJpeg, 1024],
  ['6 MP JPEG → 224² FP32 NCHW', pictures.jpeg, tensor, 224],
  ['2 MP PNG → 1024 × 768 gray JPEG', pictures.png, grayJpeg, 1024],
];

// The first question starts the measuring.
await processor.loopDelay();
await new Promise((resolve) => setTimeout(resolve, 1000));
const rows = [
  ['load', 'p50 ms', 'p99 ms', 'max ms'],
  ['none', ...cellsOf(await processor.loopDelay())],
];
const p99s: number[] = [];
for (const [name, sources, task, width] of loads) {
  if (sources.length === 0) continue;
  const send = async (index: number) => {
    const content = withMark(sources[index % sources.length] as Uint8Array, String(nextSerial()));
    using deadline = startDeadline(new AbortController().signal, 60_000);
    const answer = await client.process(task(content), deadline);
    if (answer.width !== width || answer.content.length === 0) throw new Error(`${name}: a wrong result`);
  };
  await inParallel(workers * 4, inFlight, send);
  await processor.loopDelay();
  await inParallel(count, inFlight, send);
  const delay = await processor.loopDelay();
  p99s.push(delay.p99);
  rows.push([name, ...cellsOf(delay)]);
}
printTable(rows);
reach('eventLoop', p99s);
client.close();
await processor.stop();

function cellsOf({ p50, p99, max }: LoopDelay): string[] {
  return [p50, p99, max].map((ms) => ms.toFixed(1));
}
