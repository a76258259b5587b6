import { parseArgs } from 'node:util';
import { s3Program } from '../support/tools.ts';
import { killWorkers } from './kill-workers.ts';

/*
 * `npm run corpus:kills`: 100 workers killed at random moments over 200 shards, in a bucket where an S3 server is installed.
 * docs/corpus.md states its results.
 */

const { values } = parseArgs({
  options: {
    shards: { type: 'string', default: '200' },
    rows: { type: 'string', default: '25' },
    kills: { type: 'string', default: '100' },
    workers: { type: 'string', default: '4' },
    seed: { type: 'string', default: '1' },
  },
});

const report = await killWorkers({
  shards: Number(values.shards),
  rowsPerShard: Number(values.rows),
  kills: Number(values.kills),
  workersAtOnce: Number(values.workers),
  isInBucket: s3Program !== undefined,
  seed: Number(values.seed),
  flags: ['--width', '32', '--height', '24', '--format', 'png'],
});
console.log(JSON.stringify(report, undefined, 2));
const isGood =
  report.kills >= Number(values.kills) &&
  report.hangs === 0 &&
  report.failures.length === 0 &&
  report.different.length === 0 &&
  report.areIndexesEqual &&
  report.shards === Number(values.shards);
process.exitCode = isGood ? 0 : 1;
