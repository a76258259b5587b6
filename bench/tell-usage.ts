import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';
import type { Usage } from './measure.ts';

/*
 * Loaded with --import into a service that is measured: tells what it has used, whenever it is asked.
 */

/** Milliseconds between two looks; each figure contains one of them. */
const resolution = 1;

if (isMainThread) {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const ms = (nanoseconds: number) => nanoseconds / 1e6;
    const usage: Usage = {
      cpuMs: (user + system) / 1000,
      peakRssMb: process.resourceUsage().maxRSS / 1024,
      delayMs: { p50: ms(delay.percentile(50)), p99: ms(delay.percentile(99)), max: ms(delay.max) },
    };
    delay.reset();
    process.send?.(usage);
  });
  // Whoever measured is gone.
  process.on('disconnect', () => process.exit());
  // The service ends as if nobody listened.
  process.channel?.unref();
}
