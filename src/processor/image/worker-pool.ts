import { Piscina } from 'piscina';
import { Failure } from '../../failures.ts';
import type { PixelAnswer, PixelJob, PixelResult } from './worker.ts';

/** Worker threads for pixels: the thread that serves gRPC never computes any. */
export interface WorkerPool {
  /** Runs one job in the next free worker. Admission keeps the number of jobs at that of the workers. */
  run(job: PixelJob): Promise<PixelResult>;
  close(): Promise<void>;
}

/**
 * Starts the threads, and comes back when one of them has loaded everything that pixels need: what is
 * missing stops the start and not the first request.
 *
 * @param workers - threads, each with one image at a time
 */
export async function startWorkerPool(workers: number): Promise<WorkerPool> {
  const pool = new Piscina<PixelJob | undefined, PixelAnswer>({
    // The ending is .js in the images, where the sources are compiled.
    filename: new URL(`./worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url).href,
    name: 'processPixels',
    minThreads: workers,
    maxThreads: workers,
    concurrentTasksPerWorker: 1,
  });
  await pool.run(undefined, { name: 'warmUp' });
  return {
    async run(job) {
      const answer = await pool.run(job).catch((cause: unknown) => {
        throw new Failure(
          'INTERNAL',
          'The worker that processed this image failed; the image was not processed.',
          {},
          { cause },
        );
      });
      if ('result' in answer) return answer.result;
      const { reason, message, metadata, cause } = answer.failure;
      throw new Failure(reason, message, metadata, { cause });
    },
    close: () => pool.destroy(),
  };
}
