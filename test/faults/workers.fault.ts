import { setTimeout as sleep } from 'node:timers/promises';
import { exactly, type Scenario, told } from './figures.ts';
import { failuresOf, type LoadRecord, reasonsOf, startLoad } from './load.ts';
import { photograph } from './pictures.ts';
import { pixelWorkers, type ServiceProcess, startMain } from './processes.ts';

/** Longest time for one image; a worker that takes longer never returns. In milliseconds. */
const jobMs = 3000;
/** A stopped worker has a job by then: the queue is never empty. In milliseconds. */
const certainlyBusyMs = 500;

/** A worker that dies of SIGSEGV in mid-job, and one that never returns, while the queue is never empty. */
export const workers: Scenario = {
  name: 'workers',
  async run() {
    await using stack = new AsyncDisposableStack();
    const processor = stack.use(
      await startMain('processor', { WORKERS: '2', MAX_TIMEOUT_MS: String(jobMs) }),
    );
    const api = stack.use(await startMain('api', { PROCESSOR_URL: processor.url }));
    const load = await startLoad({
      url: api.url,
      pace: { inFlight: 4 },
      requests: [{ kind: 'photograph', path: '/v1/images', body: await photograph(), isFresh: true }],
    });
    await untilReady(processor, 2);
    await sleep(1000);

    const [crashing = 0] = pixelWorkers(processor.pid);
    process.kill(crashing, 'SIGSTOP');
    await sleep(certainlyBusyMs);
    process.kill(crashing, 'SIGSEGV');
    process.kill(crashing, 'SIGCONT');
    await sleep(3000);
    const afterCrash = pixelWorkers(processor.pid);

    const [hanging = 0] = afterCrash;
    process.kill(hanging, 'SIGSTOP');
    await sleep(jobMs + 4000);
    const afterHang = pixelWorkers(processor.pid);

    const result = await load.stop();
    const failed = failuresOf(result);
    const [crashed, late] = [byReason(failed, 'WORKER_CRASHED'), byReason(failed, 'DEADLINE_EXCEEDED')];
    const others = failed.filter((record) => !crashed.includes(record) && !late.includes(record));
    return [
      told('requests, 4 in flight', `${result.records.length} in ${Math.round(result.durationMs / 1000)} s`),
      exactly('failed by a worker that gets SIGSEGV in its job', crashed.length, 1),
      exactly('failed by a worker that never returns', late.length, 1),
      exactly('failed besides', others.length === 0 ? 0 : reasonsOf(others), 0),
      exactly('workers 3 s after the SIGSEGV', afterCrash.length, 2),
      exactly('workers after the hung one is late', afterHang.length, 2),
      exactly(
        'the hung worker',
        afterHang.includes(hanging) ? 'is still there' : 'was replaced',
        'was replaced',
      ),
    ];
  },
};

/** The processor listens when its first worker is ready. One that is killed before it is ready loses no request. */
async function untilReady(processor: ServiceProcess, count: number): Promise<void> {
  const ready = async () => (await processor.metrics()).get('image_processor_workers{role="pixels"}');
  while ((await ready()) !== count) await sleep(100);
}

function byReason(records: readonly LoadRecord[], reason: string): LoadRecord[] {
  return records.filter((record) => record.reason === reason);
}
