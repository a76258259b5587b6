import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { isMainThread } from 'node:worker_threads';

/*
 * Loaded with --import into a service that is measured: it ends with whoever measures, and tells its event loop's
 * delay when it is asked. Until it is asked for the first time it takes no time from anybody.
 */

/** Of the main thread's event loop since the last question, in milliseconds. */
export interface LoopDelay {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** Milliseconds between two looks; each figure contains one of them. */
const resolution = 1;

if (isMainThread && process.channel) {
  let histogram: ReturnType<typeof monitorEventLoopDelay> | undefined;
  process.on('message', () => {
    histogram ??= monitorEventLoopDelay({ resolution });
    histogram.enable();
    const ms = (nanoseconds: number) => nanoseconds / 1e6;
    const { max } = histogram;
    const delay: LoopDelay = {
      p50: ms(histogram.percentile(50)),
      p99: ms(histogram.percentile(99)),
      max: ms(max),
    };
    histogram.reset();
    process.send?.(delay);
  });
  // The measuring process has ended.
  process.on('disconnect', () => process.exit());
  // The service ends as if nobody listened.
  process.channel.unref();
}
