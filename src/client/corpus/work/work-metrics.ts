import { once } from 'node:events';
import { createServer } from 'node:http';
import { Counter, Gauge, Registry } from 'prom-client';
import { ClientError } from '../../client-error.ts';
import { wordsOf } from '../../files.ts';

/** Counts what a worker does, for Prometheus. */
export interface WorkMetrics extends AsyncDisposable {
  /** @param reason - empty for a row that is stored */
  countRow(reason: string): void;
  /** @param bytes - of the shard's file */
  countShard(state: string, bytes: number): void;
  /** @param rows - of the shard that is in work */
  beginShard(shard: number, rows: number): void;
}

/** Metrics that nobody reads. */
export const noMetrics: WorkMetrics = {
  countRow: () => {},
  countShard: () => {},
  beginShard: () => {},
  [Symbol.asyncDispose]: async () => {},
};

/**
 * Serves metrics at `/metrics` of a port, on all addresses.
 *
 * @throws ClientError PORT_UNUSABLE
 */
export async function serveMetrics(port: number): Promise<WorkMetrics> {
  const registry = new Registry();
  const registers = [registry];
  const rows = new Counter({
    name: 'image_corpus_rows_total',
    help: 'Rows with an outcome, by reason of their failure; stored rows have the reason ""',
    labelNames: ['outcome', 'reason'],
    registers,
  });
  const shards = new Counter({
    name: 'image_corpus_shards_total',
    help: 'Shards that are done: written, replaced, or present already',
    labelNames: ['state'],
    registers,
  });
  const bytes = new Counter({
    name: 'image_corpus_shard_bytes_total',
    help: 'Bytes of the shards that were written',
    registers,
  });
  const current = new Gauge({ name: 'image_corpus_shard', help: 'Number of the shard in work', registers });
  const left = new Gauge({
    name: 'image_corpus_rows_left',
    help: 'Rows of the shard in work that have no outcome yet',
    registers,
  });
  const server = createServer((request, response) => {
    if (request.url !== '/metrics') return void response.writeHead(404).end();
    void registry
      .metrics()
      .then((text) => response.setHeader('content-type', registry.contentType).end(text));
  });
  server.listen(port);
  await once(server, 'listening').catch((cause: unknown) => {
    const message = `Metrics cannot be served at port ${port}: ${wordsOf(cause)}. --metrics-port names another one.`;
    throw new ClientError('usage', 'PORT_UNUSABLE', message, { cause });
  });
  // A scraper never keeps the worker from ending.
  server.unref();
  return {
    countRow(reason) {
      rows.inc({ outcome: reason === '' ? 'stored' : 'failed', reason });
      left.dec();
    },
    countShard(state, length) {
      shards.inc({ state });
      if (state !== 'present') bytes.inc(length);
    },
    beginShard(shard, count) {
      current.set(shard);
      left.set(count);
    },
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}
