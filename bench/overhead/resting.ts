import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { request } from 'undici';
import { servicesPssMb } from '../process-tree.ts';
import { endWithUs } from '../services.ts';
import { root, startEnvironment } from './contenders.ts';
import { works } from './works.ts';

/*
 * `npm start` of a checkout in which nothing has changed since the last one.
 */

/** Until memory that only the start needed has been given back. */
const restMs = 3000;

export interface Started {
  /** From the command to the first response with an image. */
  readonly firstResponseMs: number;
  /** PSS of all processes of the services, some seconds after that. */
  readonly restingMb: number;
}

export async function startAndRest(): Promise<Started> {
  const environment = await startEnvironment();
  const start = performance.now();
  // A process group of its own, as a terminal gives a command: npm, its shell and `npm start` end by one signal.
  const npm = spawn('npm', ['start'], { cwd: root, env: environment, detached: true, stdio: 'ignore' });
  endWithUs(npm);
  const exited = once(npm, 'exit');
  const query = new URLSearchParams(works.smallClip.query);
  const url = `http://127.0.0.1:${environment.PORT}/v1/images?${query}`;
  const headers = { 'content-type': 'application/octet-stream' };
  try {
    while (performance.now() - start < 60_000) {
      const sent = { method: 'POST', body: works.smallClip.source, headers } as const;
      const response = await request(url, sent).catch(() => undefined);
      await response?.body.dump();
      if (response?.statusCode === 200) {
        const firstResponseMs = performance.now() - start;
        await sleep(restMs);
        return { firstResponseMs, restingMb: servicesPssMb(npm.pid as number) };
      }
      await sleep(5);
    }
  } finally {
    process.kill(-(npm.pid as number), 'SIGTERM');
    await exited;
  }
  throw new Error('npm start gave no response within a minute');
}
