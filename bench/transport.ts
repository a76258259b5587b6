import { fork } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { Agent, request as httpRequest } from 'undici';
import { ProcessorService, ProcessRequestSchema } from '../gen/image/v1/processor_pb.ts';
import { createProcessorClient } from '../src/api/processor-client.ts';
import { startDeadline } from '../src/deadline.ts';
import { maxSessionMemory } from '../src/transport.ts';
import { asked, benchArguments, cpuMs, endWithUs, inParallel, median, printTable } from './measure.ts';

/*
 * What the way between the two services costs by itself: a message of each size there, 150 KB back,
 * nothing in between. Our gRPC beside connect-node's defaults and plain HTTP/1.1, in turn, so that the
 * ratios hold on a noisy machine. CPU is user + sys of both processes.
 */

const answerBytes = 150_000;
const inFlight = 8;
const sizes = { '10 KB': 10_000, '200 KB': 200_000, '1 MB': 1_000_000, '8 MB': 8_000_000 };
const rounds = benchArguments().quick ? 2 : 5;

type Send = (content: Uint8Array) => Promise<{ answered: number; received: number }>;

const variants = {
  'plain HTTP/1.1 (node:http, undici)': { server: 'http', client: httpClient },
  "gRPC, connect-node's defaults*": { server: 'defaults', client: defaultClient },
  'gRPC, as the services have it': { server: 'ours', client: ourClient },
} as const;

interface Figures {
  readonly cpuMs: number[];
  readonly perSecond: number[];
  readonly aloneMs: number[];
}

const rows = [['message there', 'way', 'CPU ms a message, both ends', 'messages/s', 'p50 ms alone']];
for (const [label, bytes] of Object.entries(sizes)) {
  const content = new Uint8Array(bytes).map((_, at) => (at * 2_654_435_761) >>> 24);
  const count = Math.max(16, Math.min(200, Math.round(40_000_000 / bytes)));
  for (const [name, figures] of await measure(content, count)) {
    const cells = [
      median(figures.cpuMs).toFixed(1),
      median(figures.perSecond).toFixed(0),
      median(figures.aloneMs).toFixed(1),
    ];
    rows.push([label, name, ...cells]);
  }
}
printTable(rows);
process.stdout.write(
  `\n${inFlight} in flight, and one at a time for the last column.\n\\* with maxSessionMemory ${maxSessionMemory}: with the default of 10 MB, calls of 1 MB fail at ${inFlight} in flight.\n`,
);

async function measure(content: Uint8Array, count: number): Promise<Map<string, Figures>> {
  const all = new Map<string, Figures>();
  const ends = await Promise.all(
    Object.entries(variants).map(async ([name, { server, client }]) => {
      const child = fork(new URL('./transport-server.ts', import.meta.url), [server, String(answerBytes)]);
      endWithUs(child);
      const [{ port }] = (await once(child, 'message')) as [{ port: number }];
      all.set(name, { cpuMs: [], perSecond: [], aloneMs: [] });
      return { name, child, ...client(port) };
    }),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const { name, child, send } of ends) {
      const before = [await cpuOf(child), cpuMs(process.cpuUsage())] as const;
      const start = performance.now();
      await inParallel(count, inFlight, () => checked(send, content));
      const seconds = (performance.now() - start) / 1000;
      const spent = (await cpuOf(child)) - before[0] + cpuMs(process.cpuUsage()) - before[1];
      const alone: number[] = [];
      for (let at = 0; at < 9; at++) {
        const sent = performance.now();
        await checked(send, content);
        alone.push(performance.now() - sent);
      }
      if (round === 0) continue; // warm-up
      const figures = all.get(name) as Figures;
      figures.cpuMs.push(spent / count);
      figures.perSecond.push(count / seconds);
      figures.aloneMs.push(median(alone));
    }
  }
  for (const { child, close } of ends) {
    close();
    child.disconnect();
  }
  return all;
}

/** A wrong answer can't count as a fast one. */
async function checked(send: Send, content: Uint8Array): Promise<void> {
  const { answered, received } = await send(content);
  if (answered !== answerBytes || received !== content.length) {
    throw new Error(`sent ${content.length}, received ${received}; answered ${answered}, not ${answerBytes}`);
  }
}

function ourClient(port: number): { send: Send; close(): void } {
  const client = createProcessorClient(`http://127.0.0.1:${port}`, 64 * 1024 * 1024);
  return {
    close: () => client.close(),
    async send(content) {
      using deadline = startDeadline(new AbortController().signal, 60_000);
      const message = create(ProcessRequestSchema, { source: { case: 'content', value: content } });
      const response = await client.process(message, deadline);
      return { answered: response.content.length, received: response.width };
    },
  };
}

function defaultClient(port: number): { send: Send; close(): void } {
  const baseUrl = `http://127.0.0.1:${port}`;
  const sessionManager = new Http2SessionManager(baseUrl, {}, { maxSessionMemory });
  const transport = createGrpcTransport({ baseUrl, sessionManager });
  const client = createClient(ProcessorService, transport);
  return {
    close: () => {},
    async send(content) {
      const response = await client.process({ source: { case: 'content', value: content } });
      return { answered: response.content.length, received: response.width };
    },
  };
}

function httpClient(port: number): { send: Send; close(): void } {
  const dispatcher = new Agent({ connections: inFlight });
  return {
    close: () => void dispatcher.destroy(),
    async send(content) {
      const response = await httpRequest(`http://127.0.0.1:${port}`, {
        method: 'POST',
        body: content,
        dispatcher,
      });
      const answered = (await response.body.arrayBuffer()).byteLength;
      return { answered, received: Number(response.headers['x-length']) };
    },
  };
}

async function cpuOf(child: ReturnType<typeof fork>): Promise<number> {
  return cpuMs((await asked<{ cpu: NodeJS.CpuUsage }>(child, 'cpu')).cpu);
}
