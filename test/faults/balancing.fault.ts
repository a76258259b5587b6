import { setTimeout as sleep } from 'node:timers/promises';
import { findFreePort } from '../support/redis.ts';
import { atMost, exactly, type Figure, type Scenario, told } from './figures.ts';
import { failuresOf, reasonsOf, startLoad } from './load.ts';
import { thumbnail } from './pictures.ts';
import { type ServiceProcess, startMain } from './processes.ts';

/** How long after a change the load has to be even again, and how long it is measured then, in milliseconds. */
const settleMs = 5000;
const lookMs = 5000;
const inFlight = 16;

/** Four processors behind one API: one is killed and comes back, then all are restarted one after the other. */
export const balancing: Scenario = {
  name: 'balancing',
  async run() {
    await using stack = new AsyncDisposableStack();
    const ports = await Promise.all([findFreePort(), findFreePort(), findFreePort(), findFreePort()]);
    const start = async (port: number): Promise<ServiceProcess> =>
      stack.use(await startMain('processor', { PORT: String(port), WORKERS: '1', SHUTDOWN_DELAY_MS: '500' }));
    const processors: ServiceProcess[] = [];
    for (const port of ports) processors.push(await start(port));
    const api = stack.use(
      await startMain('api', { PROCESSOR_URL: ports.map((port) => `http://127.0.0.1:${port}`).join(',') }),
    );
    const load = await startLoad({
      url: api.url,
      pace: { inFlight },
      requests: [
        { kind: 'thumbnail', path: '/v1/images?width=32&height=24', body: await thumbnail(), isFresh: true },
      ],
    });
    await sleep(settleMs / 2);
    const figures: Figure[] = [await spread('from the start', processors)];

    const killed = processors[1] as ServiceProcess;
    killed.kill('SIGKILL');
    await killed.exited;
    await sleep(settleMs);
    const left = processors.filter((one) => one !== killed);
    figures.push(await spread('over the three that are left, 5 to 10 s after kill -9 of one', left));

    processors[1] = await start(ports[1] as number);
    await sleep(settleMs);
    figures.push(await spread('over all four, 5 to 10 s after it is back', processors));

    for (const [at, old] of processors.entries()) {
      old.kill('SIGTERM');
      await old.exited;
      processors[at] = await start(ports[at] as number);
    }
    await sleep(settleMs);
    figures.push(await spread('over all four, 5 to 10 s after a rolling restart (SIGTERM)', processors));

    const result = await load.stop();
    const failed = failuresOf(result);
    return [
      told('requests, 16 in flight', `${result.records.length} in ${Math.round(result.durationMs / 1000)} s`),
      exactly('failed requests', failed.length === 0 ? 0 : `${failed.length}: ${reasonsOf(failed)}`, 0),
      ...figures,
    ];
  },
};

async function spread(when: string, processors: readonly ServiceProcess[]): Promise<Figure> {
  const before = await Promise.all(processors.map(answered));
  await sleep(lookMs);
  const after = await Promise.all(processors.map(answered));
  const counts = after.map((count, at) => count - (before[at] ?? 0));
  const figure = atMost(`load, most / least, ${when}`, Math.max(...counts) / Math.min(...counts), 1.3);
  return { ...figure, measured: `${figure.measured} (${counts.join(', ')})` };
}

async function answered(processor: ServiceProcess): Promise<number> {
  return (await processor.metrics()).get('image_processor_requests_total{outcome="OK"}') ?? 0;
}
