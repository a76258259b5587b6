import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { create, toBinary } from '@bufbuild/protobuf';
import { ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { readKustomization } from '../support/kustomization.ts';
import { containerOf, environmentOf, quantity } from '../support/manifest-rules.ts';
import { type Origin, startOrigin, startRawOrigin } from '../support/origin.ts';
import { type CheapRow, cheapRows, type Target } from './cheap-requests.ts';
import { exactly, type Figure, type Scenario } from './figures.ts';
import { hostileCaller } from './hostile-caller.ts';
import { failuresOf, type LoadRequest, reasonsOf, slowestOf, startLoad } from './load.ts';
import { thumbnail } from './pictures.ts';
import { processTree, type ServiceProcess, startMain } from './processes.ts';

/** Longest time that `/healthz` may take, in milliseconds. */
const healthMs = 150;
/** A row that does not hold is run again, because other processes may have kept it from a core. */
const attemptsPerRow = 3;
const callerCount = 32;
const mebibyte = 1024 ** 2;
const base = readKustomization('manifests/base');

interface Services {
  readonly api: ServiceProcess;
  readonly processor: ServiceProcess;
}

/** Requests that cost their caller little, beside honest ones of another caller. */
export const cheap: Scenario = {
  name: 'cheap',
  async run() {
    await using stack = new AsyncDisposableStack();
    const origin = stack.use(await startCachedOrigin());
    const trickling: string[] = [];
    for (let count = 0; count < 4; count++)
      trickling.push(stack.use(await startTricklingOrigin()).url('/a.jpg'));
    const processor = stack.use(await startService('processor', { URL_ALLOWED_HOSTS: '127.0.0.1' }));
    const api = stack.use(await startService('api', { PROCESSOR_URL: processor.url }));
    const honest = await honestRequests(origin);
    const services = { api, processor };
    const figures: Figure[] = [];
    for (const row of cheapRows) figures.push(await judged(row, services, honest, trickling));
    const ended = [api, processor].filter(({ hasExited }) => hasExited).map(({ name }) => `image-${name}`);
    return [...figures, exactly('services that ended', ended.length === 0 ? 0 : ended.join(', '), 0)];
  },
};

/** A service with the environment of its manifest, and with the heap that Node takes in its container. */
function startService(name: Services['api']['name'], environment: Record<string, string>) {
  const heap = Math.floor(memoryLimit(name) / 2 / mebibyte);
  return startMain(
    name,
    // It ends when the scenario does; the trickling downloads that it would wait for are ours.
    {
      ...environmentOf(base, `image-${name}`),
      SHUTDOWN_DELAY_MS: '0',
      SHUTDOWN_TIMEOUT_MS: '1000',
      ...environment,
    },
    [`--max-old-space-size=${heap}`],
  );
}

function memoryLimit(name: Services['api']['name']): number {
  const { resources } = containerOf(base, `image-${name}`);
  return quantity(resources?.limits?.memory ?? '0');
}

async function startCachedOrigin(): Promise<Origin> {
  const picture = await thumbnail();
  const headers = { 'content-type': 'image/jpeg', 'cache-control': 'max-age=3600' };
  return startOrigin((_request, response) => void response.writeHead(200, headers).end(picture));
}

function startTricklingOrigin(): Promise<Origin> {
  return startRawOrigin((socket) => {
    socket.write('HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 1000000\r\n\r\n');
    const timer = setInterval(() => socket.write('x'), 1000);
    socket.once('close', () => clearInterval(timer));
  });
}

/** An upload that no cache knows, a cached URL, and an RPC. */
async function honestRequests(origin: Origin): Promise<readonly LoadRequest[]> {
  const path = '/v1/images?width=64&height=48';
  const body = await thumbnail();
  const message = create(ProcessRequestSchema, {
    source: { case: 'content', value: body },
    resize: { width: 64, height: 48 },
  });
  return [
    { kind: 'upload', path, body, isFresh: true },
    { kind: 'cached URL', path: `${path}&url=${encodeURIComponent(origin.url('/cached.jpg'))}` },
    {
      kind: 'RPC',
      path: '/image.v1.ProcessorService/Process',
      body: toBinary(ProcessRequestSchema, message),
      contentType: 'application/proto',
    },
  ];
}

async function judged(
  row: CheapRow,
  services: Services,
  honest: readonly LoadRequest[],
  trickling: readonly string[],
): Promise<Figure> {
  for (let attempt = 1; ; attempt++) {
    const figure = await runRow(row, services, honest, trickling);
    process.stderr.write(
      `cheap: ${figure.holds ? 'holds' : 'does not hold'}: ${figure.what}: ${figure.measured}\n`,
    );
    if (figure.holds || attempt === attemptsPerRow) return figure;
  }
}

async function runRow(
  row: CheapRow,
  { api, processor }: Services,
  honest: readonly LoadRequest[],
  trickling: readonly string[],
): Promise<Figure> {
  const load = await startLoad({
    url: api.url,
    pace: { perSecond: 12 },
    requests: honest,
    servers: [api.pid, processor.pid],
    health: [processor.url],
  });
  const memory = watchMemory(api, processor);
  const [first, ...rest] = Array.from({ length: callerCount }, (_, index) =>
    hostileCaller(`127.0.0.${index + 2}`),
  );
  const callers: Target['callers'] = [first as NonNullable<typeof first>, ...rest];
  await sleep(500);
  const outcomes = await row.run({ api: api.url, processor: processor.url, trickling, callers });
  await sleep(500);
  const result = await load.stop();
  const peaks = memory.stop();
  for (const caller of callers) caller.leave();
  const failed = failuresOf(result);
  const checks = Object.entries(result.health).map(([name, all]) => ({ name, ms: slowestOf(all) }));
  const unexpected = outcomes.filter((outcome) => !row.expected.some((right) => right === outcome));
  const limits = { api: memoryLimit('api'), processor: memoryLimit('processor') };
  return {
    what: row.what,
    measured: [
      `${failed.length === 0 ? 0 : reasonsOf(failed)} of ${result.records.length}`,
      checks.map(({ name, ms }) => `${name} ${ms.toFixed(0)} ms`).join(', '),
      `${inMebibytes(peaks.api)} and ${inMebibytes(peaks.processor)} MiB`,
      countsOf(outcomes),
    ].join('; '),
    limit: `0; ≤ ${healthMs} ms; ≤ ${inMebibytes(limits.api)} and ${inMebibytes(limits.processor)} MiB; ${row.expected.join(', ')}`,
    holds:
      failed.length === 0 &&
      result.records.length > 0 &&
      checks.every(({ ms }) => ms <= healthMs) &&
      unexpected.length === 0 &&
      outcomes.length > 0 &&
      peaks.api <= limits.api &&
      peaks.processor <= limits.processor,
  };
}

function watchMemory(api: ServiceProcess, processor: ServiceProcess) {
  const peaks = { api: 0, processor: 0 };
  const look = (): void => {
    for (const { name, pid } of [api, processor]) {
      const bytes = processTree(pid).reduce((sum, { rssBytes }) => sum + rssBytes, 0);
      peaks[name] = Math.max(peaks[name], bytes);
    }
  };
  const timer = setInterval(look, 100);
  return {
    stop() {
      clearInterval(timer);
      look();
      return peaks;
    },
  };
}

const inMebibytes = (bytes: number): string => (bytes / mebibyte).toFixed(0);

function countsOf(outcomes: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  return Array.from(counts, ([outcome, count]) => `${count} ${outcome}`).join(', ');
}
