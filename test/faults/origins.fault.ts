import { setTimeout as sleep } from 'node:timers/promises';
import { startOrigin, startRawOrigin } from '../support/origin.ts';
import { atMost, exactly, type Figure, percentile, type Scenario, told } from './figures.ts';
import { failuresOf, type LoadResult, loadFor, reasonsOf, slowestOf, startLoad } from './load.ts';
import { photograph, thumbnail } from './pictures.ts';
import { startMain } from './processes.ts';

/** Longest download, in milliseconds. */
const downloadMs = 2000;
const lastsMs = 10_000;

/** Origins that send a byte a second, declare a wrong length or close the connection, while others use the service. */
export const origins: Scenario = {
  name: 'origins',
  async run() {
    await using stack = new AsyncDisposableStack();
    const picture = await photograph();
    const head = `HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: ${picture.length}\r\n`;
    const trickle = stack.use(
      await startRawOrigin((socket) => {
        socket.write(`${head}\r\n`);
        let at = 0;
        const timer = setInterval(() => socket.write(picture.subarray(at, ++at)), 1000);
        socket.once('close', () => clearInterval(timer));
      }),
    );
    const short = stack.use(
      await startRawOrigin((socket) =>
        socket.end(
          Buffer.concat([Buffer.from(`${head}Connection: close\r\n\r\n`), picture.subarray(0, 1000)]),
        ),
      ),
    );
    const endless = stack.use(
      await startRawOrigin((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Length: 100\r\n\r\n');
        const more = (): void => {
          while (!socket.destroyed && socket.write(picture));
        };
        socket.on('drain', more);
        more();
      }),
    );
    const flood = stack.use(
      await startOrigin((_request, response) => {
        const more = (): void => {
          while (!response.destroyed && response.write(picture));
        };
        response.on('drain', more);
        more();
      }),
    );
    const reset = stack.use(
      await startRawOrigin((socket) => {
        socket.write(`${head}\r\n`);
        socket.write(picture.subarray(0, 5000), () => socket.resetAndDestroy());
      }),
    );
    const good = stack.use(
      await startOrigin(
        (_request, response) => void response.writeHead(200, { 'cache-control': 'no-store' }).end(picture),
      ),
    );
    const processor = stack.use(
      await startMain('processor', {
        WORKERS: '2',
        URL_ALLOWED_HOSTS: '127.0.0.1',
        DOWNLOAD_TIMEOUT_MS: String(downloadMs),
        MAX_SOURCE_BYTES: '4000000',
        MAX_DOWNLOADS: '32',
      }),
    );
    const api = stack.use(
      await startMain('api', { PROCESSOR_URL: processor.url, MAX_UPLOAD_BYTES: '4000000' }),
    );

    const from = (kind: string, url: string) => ({
      kind,
      path: `/v1/images?width=64&height=48&url=${encodeURIComponent(url)}`,
    });
    const users = {
      url: api.url,
      pace: { perSecond: 20 },
      requests: [
        { kind: 'upload', path: '/v1/images?width=64&height=48', body: await thumbnail(), isFresh: true },
        from('download', good.url('/good.jpg')),
      ],
    };
    await loadFor(2000, users);
    const before = await loadFor(3000, users);
    const bad = await startLoad({
      url: api.url,
      pace: { perSecond: 10 },
      requests: [
        from('a byte a second', trickle.url('/a.jpg')),
        from('says more than it sends', short.url('/a.jpg')),
        from('sends more than it says', endless.url('/a.jpg')),
        from('sends without end', flood.url('/a.jpg')),
        from('resets', reset.url('/a.jpg')),
      ],
    });
    const during = await loadFor(lastsMs, {
      ...users,
      servers: [api.pid, processor.pid],
      health: [processor.url],
    });
    const badResult = await bad.stop();
    await sleep(100);
    const figures: Figure[] = [...new Set(badResult.records.map(({ kind }) => kind))].map((kind) => {
      const records = badResult.records.filter((record) => record.kind === kind);
      return told(`an origin that ${kind}`.replace('that a byte', 'that sends a byte'), reasonsOf(records));
    });
    const unexpected = badResult.records.filter(
      ({ reason }) => ['INTERNAL', 'OVERLOADED', 'WORKER_CRASHED'].includes(reason) || reason.includes(' '),
    );
    const failed = failuresOf(during);
    const checks = Object.values(during.health).flat();
    return [
      told(
        'requests of others, 20 a second',
        `${during.records.length} in ${Math.round(during.durationMs / 1000)} s`,
      ),
      exactly(
        'failed requests of others',
        failed.length === 0 ? 0 : `${failed.length}: ${reasonsOf(failed)}`,
        0,
      ),
      told('their p99 before', `${p99(before).toFixed(0)} ms`),
      atMost('their p99 meanwhile', p99(during), 500, 'ms'),
      ...figures,
      exactly('reasons that do not name the origin', unexpected.length === 0 ? 0 : reasonsOf(unexpected), 0),
      told('slowest health check', `${Math.max(...checks.map(({ ms }) => ms)).toFixed(0)} ms`),
      atMost('slowest health check, less waits that are not the services’', slowestOf(checks), 100, 'ms'),
    ];
  },
};

function p99({ records }: LoadResult): number {
  return percentile(
    records.map(({ startedAt, endedAt }) => endedAt - startedAt),
    0.99,
  );
}
