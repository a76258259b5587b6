import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { ProcessorService, ProcessStreamRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { createHttp2Connection } from '../../src/grpc/http2-connection.ts';
import { sha256, withMark } from '../load.ts';
import { messageOf, works } from './works.ts';

/*
 * A client of ProcessStream in a process of its own: `stream-sender.ts URL`. Each message `{ count, first }` sends so many
 * images, marked from `first` on so that none is in the cache, and is replied to with the seconds that they took.
 */

/** Images that are sent and have no response yet. */
const inFlight = 16;

const [url = ''] = process.argv.slice(2);
const sessionManager = createHttp2Connection(url, { connectTimeoutMs: 10_000, pingIntervalMs: 6_000 });
const transport = createGrpcTransport({ baseUrl: url, sessionManager, acceptCompression: [] });
const processor = createClient(ProcessorService, transport);
const work = works.smallClip;

export interface StreamQuestion {
  readonly count: number;
  readonly first: number;
  /** SHA-256 of each response. */
  readonly expected: string;
}

process.on('disconnect', () => process.exit());
process.on('message', async ({ count, first, expected }: StreamQuestion) => {
  const start = performance.now();
  let [received, wake] = [0, () => {}];
  async function* requests() {
    for (let sent = 0; sent < count; sent++) {
      while (sent - received >= inFlight) await new Promise<void>((resolve) => (wake = resolve));
      const content = withMark(work.source, String(first + sent));
      yield create(ProcessStreamRequestSchema, { id: String(sent), request: messageOf(work, content) });
    }
  }
  for await (const { result } of processor.processStream(requests())) {
    if (result.case !== 'response') throw new Error(JSON.stringify(result.value));
    // A response in 32 is compared: hashing all would be a part of the work.
    if (received % 32 === 0 && sha256(result.value.content) !== expected) throw new Error('another tensor');
    received++;
    wake();
  }
  if (received !== count) throw new Error(`${received} responses to ${count} requests`);
  process.send?.((performance.now() - start) / 1000);
});
process.send?.('ready');
