import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/redis.ts';
import { run } from '../support/run.ts';
import { findProgram } from '../support/tools.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const script = findProgram('script');
const curl = findProgram('curl');

/** Runs a command that starts both services, on free ports. */
async function startAll(
  command: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  detached = false,
) {
  const [port, processorPort] = await Promise.all([findFreePort(), findFreePort()]);
  const child: ChildProcess = spawn(command, parameters, {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      PORT: String(port),
      PROCESSOR_PORT: String(processorPort),
      METRICS_PORT: '0',
      WORKERS: '1',
      ...environment,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
    detached,
  });
  const exited = once(child, 'exit');
  let text = '';
  const chunks: AsyncIterator<Buffer> | undefined = child.stdout?.[Symbol.asyncIterator]();
  let errors = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    errors += String(chunk);
  });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  });
  return {
    child,
    port,
    processorPort,
    exited,
    errors: () => errors,
    /** The whole output so far, once it matches the pattern. */
    async printed(end: RegExp): Promise<string> {
      while (!end.test(text)) {
        const next = await chunks?.next();
        if (next === undefined || next.done) throw new Error(`it ended early:\n${text}`);
        text += String(next.value);
      }
      return text;
    },
  };
}

/** The gauge of image-api, without its labels. */
async function requestsInFlight(port: number): Promise<number> {
  const text = await (await fetch(`http://localhost:${port}/metrics`)).text();
  return Number(/^http_requests_in_flight(?:\{.*\})? (\d+)$/m.exec(text)?.[1]);
}

const start = fileURLToPath(new URL('../../src/start/main.ts', import.meta.url));

describe('npm start', { timeout: 120_000 }, () => {
  it.skipIf(curl === undefined)('prints in a pipe a screen without colours, whose curl works', async () => {
    const service = await startAll(process.execPath, [start]);
    const screen = await service.printed(/End: Ctrl\+C/);
    expect(screen).not.toContain('\x1b');
    expect(screen.split('\n').length).toBeLessThan(24);
    for (const address of [
      `http://localhost:${service.port}/ `,
      `http://localhost:${service.port}/docs`,
      `localhost:${service.processorPort} list`,
    ]) {
      expect(screen).toContain(address);
    }
    const command = screen.split('\n').find((line) => line.trim().startsWith('curl ')) ?? '';
    const result = await run('sh', ['-c', command.replace('-o output.jpg', '-o /dev/null -D -')], {
      cwd: root,
    });
    expect(result.code, result.stderr).toBe(0);
    expect(result.stdout.toString()).toMatch(/image-height: 768\r\n[\s\S]*image-width: 1024\r\n/);
    service.child.kill('SIGTERM');
    expect(await service.exited).toEqual([0, null]);
  });

  // `script` gives it its own terminal, and passes input on.
  it.skipIf(script === undefined)('prints on a terminal the same in bold, and ends with Ctrl+C', async () => {
    const node = `exec '${process.execPath}' '${start}'`;
    const service = await startAll(script ?? '', ['-qec', node, '/dev/null'], { TERM: 'xterm-256color' });
    const screen = await service.printed(/End: Ctrl\+C/);
    expect(screen).toContain('\x1b[1mimage-service is ready.\x1b[22m');
    service.child.stdin?.write('\x03');
    expect(await service.exited).toEqual([0, null]);
  });

  it.skipIf(script === undefined)('heeds NO_COLOR', async () => {
    const node = `exec '${process.execPath}' '${start}'`;
    const environment = { TERM: 'xterm-256color', NO_COLOR: '1' };
    const service = await startAll(script ?? '', ['-qec', node, '/dev/null'], environment);
    expect(await service.printed(/End: Ctrl\+C/)).not.toContain('\x1b');
  });

  it('prints only JSON lines in production', async () => {
    const service = await startAll(process.execPath, [start], { NODE_ENV: 'production' });
    const text = await service.printed(/both services are ready.*\n/);
    const events = text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; curl?: string });
    expect(events.map(({ msg }) => msg)).toEqual(
      expect.arrayContaining(['image-processor listens', 'image-api listens', 'both services are ready']),
    );
    expect(events.at(-1)?.curl).toContain(`http://localhost:${service.port}/v1/images`);
  });

  it('uses a free port when another process has the default, and reports it', async () => {
    const other = createServer().listen(8080, '127.0.0.1');
    // If another process of the machine already listens there, the test works as well.
    await Promise.race([once(other, 'listening'), once(other, 'error')]);
    onTestFinished(() => void other.close());
    const service = await startAll(process.execPath, [start], { PORT: '' });
    const screen = await service.printed(/End: Ctrl\+C/);
    expect(screen).toContain('Another process listens on port 8080');
    const [, url = ''] = /HTTP +(\S+)\/v1\/images/.exec(screen) ?? [];
    expect(url).not.toBe('http://localhost:8080');
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  it.each(['PORT', 'PROCESSOR_PORT', 'METRICS_PORT'])(
    'stops with one sentence when %s is set and taken',
    async (name) => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      onTestFinished(() => void other.close());
      const { port } = other.address() as AddressInfo;
      const service = await startAll(process.execPath, [start], { [name]: String(port) });
      expect(await service.exited).toEqual([78, null]);
      expect(service.errors()).toBe(
        `${name} is "${port}"; allowed: a port that no other process listens on\n`,
      );
    },
  );

  it.each([
    [
      { MAX_OUTPUT_PIXELS: '1000' },
      'IMAGE_WIDTH × IMAGE_HEIGHT is 786432; allowed: at most 1000, which is MAX_OUTPUT_PIXELS\n',
    ],
    [
      { MAX_SOURCE_BYTES: '1000' },
      'MAX_UPLOAD_BYTES is "33554432"; allowed: at most 1000, which is MAX_SOURCE_BYTES\n',
    ],
    [
      { IMAGE_FIT: 'squeeze' },
      'IMAGE_FIT is "squeeze"; allowed: one of fill, cover, contain, inside, outside\n',
    ],
  ])('stops when the two services contradict each other: %j', async (environment, message) => {
    const service = await startAll(process.execPath, [start], environment);
    expect(await service.exited).toEqual([78, null]);
    expect(service.errors()).toBe(message);
  });

  it.each(['SIGTERM', 'SIGHUP'] as const)(
    'finishes the requests in flight when %s reaches the whole process group',
    async (signal) => {
      const origin = createServer((_, response) => {
        // Half of the body, and the rest when the services drain.
        const sample = readFileSync(`${root}test/fixtures/sample.jpg`);
        response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': sample.length });
        response.write(sample.subarray(0, 1000));
        setTimeout(() => response.end(sample.subarray(1000)), 1500);
        process.kill(-(service.child.pid ?? 0), signal);
      }).listen(0, '127.0.0.1');
      await once(origin, 'listening');
      onTestFinished(() => void origin.close());
      const { port } = origin.address() as AddressInfo;
      const service = await startAll(
        process.execPath,
        [start],
        { URL_ALLOWED_HOSTS: `127.0.0.1:${port}` },
        true,
      );
      await service.printed(/End: Ctrl\+C/);
      const url = `http://localhost:${service.port}/v1/images?url=${encodeURIComponent(`http://127.0.0.1:${port}/`)}`;
      const response = await fetch(url);
      expect(response.status).toBe(200);
      expect((await response.bytes()).length).toBeGreaterThan(1000);
      expect(await service.exited).toEqual([0, null]);
    },
  );

  it.skipIf(process.platform !== 'linux')('ends with 0 when a signal comes while it starts', async () => {
    const service = await startAll(process.execPath, [start]);
    const { pid = 0 } = service.child;
    // A worker exists, and no service listens yet.
    await expect
      .poll(() => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), { interval: 5, timeout: 30_000 })
      .not.toBe('');
    service.child.kill('SIGTERM');
    expect(await service.exited).toEqual([0, null]);
  });

  it('sends image-processor an upload that is still arriving when a signal comes', async () => {
    const service = await startAll(process.execPath, [start], { NODE_ENV: 'production' });
    await service.printed(/both services are ready/);
    const sample = readFileSync(`${root}test/fixtures/sample.jpg`);
    const upload = request({
      port: service.port,
      method: 'POST',
      path: '/v1/images',
      headers: { 'content-type': 'image/jpeg', 'content-length': sample.length },
    });
    const responded = once(upload, 'response') as Promise<[IncomingMessage]>;
    upload.write(sample.subarray(0, 1000));
    // The scrape itself is one, too.
    await expect.poll(() => requestsInFlight(service.port)).toBe(2);
    service.child.kill('SIGTERM');
    await service.printed(/"service":"image-api".*"draining"/);
    upload.end(sample.subarray(1000));
    const [response] = await responded;
    response.resume();
    expect(response.statusCode).toBe(200);
    expect(await service.exited).toEqual([0, null]);
    expect(await service.printed(/"image-processor".*"bye"/)).toMatch(
      /"image-api".*"bye"[\s\S]*"image-processor".*"draining"/,
    );
  });

  it.skipIf(process.platform !== 'linux')(
    'runs both services in one process, beside the workers',
    async () => {
      const service = await startAll(process.execPath, [start], { WORKERS: '2' });
      await service.printed(/End: Ctrl\+C/);
      const { pid = 0 } = service.child;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
      const commands = children.map((child) => readFileSync(`/proc/${child}/cmdline`, 'utf8'));
      expect(commands).toEqual(Array(2).fill(expect.stringMatching(/worker-process\.ts\0pixels/)));
    },
  );

  it('lets only this machine reach image-processor if PROCESSOR_HOST says so', async () => {
    const service = await startAll(process.execPath, [start], {
      NODE_ENV: 'production',
      HOST: '0.0.0.0',
      PROCESSOR_HOST: '127.0.0.1',
    });
    const events = (await service.printed(/both services are ready.*\n/))
      .split('\n')
      .filter((line) => line !== '');
    const hosts = events
      .map((line) => JSON.parse(line) as { readonly msg: string; readonly host?: string })
      .filter(({ msg }) => msg.endsWith(' listens'))
      .map(({ msg, host }) => [msg, host]);
    // In this order: a supervisor takes the port of image-api for that of a service that has started.
    expect(hosts).toEqual([
      ['image-processor listens', '127.0.0.1'],
      ['image-api listens', '0.0.0.0'],
    ]);
  });

  it('ends the services when it is killed', async () => {
    const service = await startAll(process.execPath, [start]);
    await service.printed(/End: Ctrl\+C/);
    service.child.kill('SIGKILL');
    await expect
      .poll(
        () =>
          fetch(`http://localhost:${service.port}/healthz`).then(
            () => 'up',
            () => 'down',
          ),
        { timeout: 10_000 },
      )
      .toBe('down');
  });
});
