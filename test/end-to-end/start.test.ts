import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { findFreePort } from '../support/redis.ts';
import { run } from '../support/run.ts';
import { findProgram } from '../support/tools.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const script = findProgram('script');
const curl = findProgram('curl');

/** Runs a command that starts both services, on free ports. */
async function startAll(command: string, parameters: readonly string[], environment = {}) {
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
  });
  const exited = once(child, 'exit');
  let text = '';
  const chunks: AsyncIterator<Buffer> | undefined = child.stdout?.[Symbol.asyncIterator]();
  child.stderr?.resume();
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await exited;
  });
  return {
    child,
    port,
    processorPort,
    exited,
    /** All that it has printed, once that has what is looked for. */
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

const start = fileURLToPath(new URL('../../src/start.ts', import.meta.url));

describe('npm start', () => {
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
    const answer = await run('sh', ['-c', command.replace('-o output.jpg', '-o /dev/null -D -')], {
      cwd: root,
    });
    expect(answer.code, answer.stderr).toBe(0);
    expect(answer.stdout.toString()).toMatch(/image-height: 768\r\n[\s\S]*image-width: 1024\r\n/);
    service.child.kill('SIGTERM');
    expect(await service.exited).toEqual([0, null]);
  });

  // `script` gives it a terminal of its own, and hands on what is typed.
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

  it('prints JSON lines alone in production', async () => {
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
});
