import { expect, it } from 'vitest';
import { killWorkers } from '../corpus/kill-workers.ts';
import { s3Program } from '../support/tools.ts';

it('gives the shards of an undisturbed run although workers are killed at any moment', async () => {
  const report = await killWorkers({
    shards: 10,
    rowsPerShard: 10,
    kills: 5,
    workersAtOnce: 2,
    isInBucket: s3Program !== undefined,
    seed: 7,
    flags: ['--width', '8', '--height', '6', '--format', 'png'],
  });
  expect(report).toMatchObject({
    hangs: 0,
    failures: [],
    shards: 10,
    different: [],
    areIndexesEqual: true,
    verify: { complete: true, rows: { planned: 100, stored: 94, failed: 6 }, missing: [], foreign: [] },
  });
  expect(report.kills).toBeGreaterThanOrEqual(5);
  // Some 20 programs are started.
}, 180_000);
