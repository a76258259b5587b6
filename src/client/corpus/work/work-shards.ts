import { ClientError } from '../../client-error.ts';
import { usage } from '../../flags.ts';
import type { JobConsole } from '../../job/job.ts';
import { connectTo } from '../../job/sending/connect.ts';
import type { WorkArguments } from '../corpus-arguments.ts';
import { loadManifest } from '../load-manifest.ts';
import type { Manifest } from '../manifest.ts';
import { openStore } from '../store/open-store.ts';
import { noMetrics, serveMetrics } from './work-metrics.ts';
import { workShard } from './work-shard.ts';

/**
 * Makes the shards that are given, one after another. Those that exist are left as they are.
 *
 * @throws ClientError for a shard that the corpus does not have; as workShard
 */
export async function workShards(
  work: WorkArguments,
  console: JobConsole,
  signal: AbortSignal,
): Promise<'done'> {
  const store = openStore(work.out, work.environment, work.patienceMs);
  const connection = connectTo(work.service);
  await using metrics = work.metricsPort === undefined ? noMetrics : await serveMetrics(work.metricsPort);
  try {
    const manifest = await loadManifest(store, work.job, signal);
    checkShards(work.shards, manifest);
    const [first, last] = work.shards;
    for (let shard = first; shard <= last; shard++) {
      const result = await workShard(shard, { work, manifest, store, connection, metrics }, console, signal);
      metrics.countShard(result.state, result.bytes ?? 0);
      if (work.json) console.print(JSON.stringify({ shard, ...result }));
    }
    return 'done';
  } catch (error) {
    if (signal.aborted && !(error instanceof ClientError)) {
      throw new ClientError('interrupted', 'INTERRUPTED', 'no unfinished shard was written.');
    }
    throw error;
  } finally {
    await connection.close();
    store.close();
  }
}

function checkShards([, last]: WorkArguments['shards'], { shards }: Manifest): void {
  if (last < shards.length) return;
  throw usage(`There is no shard ${last}: the corpus has ${shards.length}, from 0 to ${shards.length - 1}.`);
}
