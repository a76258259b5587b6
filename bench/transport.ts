import process from 'node:process';
import { maxSessionMemory } from '../src/grpc/transport.ts';
import { type Cost, costOf } from './load.ts';
import { benchArguments, median, printTable } from './measure.ts';
import { asked, ended, nodeFlags, startPart } from './services.ts';
import type { Messages } from './transport-client.ts';

/*
 * The cost of the path between the two services: a message of each size there, 150 KB back, nothing in
 * between. Our gRPC beside connect-node's defaults and plain HTTP/1.1, in turn, so that the ratios hold on a noisy
 * machine. Both ends are processes of their own, with the flags that the services are started with.
 */

const answerBytes = 150_000;
const inFlight = 8;
const sizes = { '10 KB': 10_000, '200 KB': 200_000, '1 MB': 1_000_000, '8 MB': 8_000_000 };
const { quick } = benchArguments();
const rounds = quick ? 2 : 5;
/** Bytes of all messages of a round. */
const roundBytes = quick ? 24_000_000 : 60_000_000;

const variants = {
  'plain HTTP/1.1 (node:http, undici)': 'http',
  "gRPC, connect-node's defaults*": 'defaults',
  'gRPC, as the services have it': 'ours',
} as const;

interface Measured {
  readonly together: Cost;
  readonly aloneMs: number;
}

const ends = await Promise.all(
  Object.entries(variants).map(async ([name, variant]) => {
    const server = await startPart<{ port: number }>(
      './transport-server.ts',
      [variant, String(answerBytes)],
      nodeFlags,
    );
    const args = [variant, String(server.hello.port), String(answerBytes)];
    const client = await startPart('./transport-client.ts', args, nodeFlags);
    const send = (messages: Messages) => asked<number[]>(client.child, messages);
    return { name, send, children: [server.child, client.child] };
  }),
);

const rows = [['message', 'way', 'CPU ms a message, both ends', 'messages/s', 'p50 ms, one at a time']];
for (const [label, bytes] of Object.entries(sizes)) {
  for (const [name, measured] of await measure(bytes)) {
    rows.push([
      label,
      name,
      median(measured.map(({ together }) => together.cpuMs)).toFixed(1),
      median(measured.map(({ together }) => together.perSecond)).toFixed(0),
      median(measured.map(({ aloneMs }) => aloneMs)).toFixed(1),
    ]);
  }
}
printTable(rows);
process.stdout.write(
  `\n${inFlight} in flight, and one at a time for the last column. All ends, the defaults' too, run with ${nodeFlags.join(' ')}.\n\\* with maxSessionMemory ${maxSessionMemory}: with the default of 10 MB, calls of 1 MB fail at ${inFlight} in flight.\n`,
);

await Promise.all(ends.flatMap(({ children }) => children.map(ended)));

async function measure(bytes: number): Promise<Map<string, Measured[]>> {
  const count = Math.max(8, Math.min(200, Math.round(roundBytes / bytes)));
  const all = new Map(ends.map(({ name }) => [name, [] as Measured[]]));
  for (let round = 0; round <= rounds; round++) {
    for (const { name, send, children } of ends) {
      const pids = children.map(({ pid }) => pid as number);
      const together = await costOf(pids, () => send({ bytes, count, inFlight }));
      const aloneMs = median(await send({ bytes, count: 9, inFlight: 1 }));
      // The first is the warm-up.
      if (round > 0) all.get(name)?.push({ together, aloneMs });
    }
  }
  return all;
}
