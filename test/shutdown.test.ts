import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { drainOnSignal } from '../src/shutdown.ts';

/**
 * Starts a process that never ends by itself and calls `drainOnSignal`.
 *
 * @param drain - an expression: the promise to wait for
 */
async function start(drain: string, timeoutMs = 60_000) {
  const program = `
    import { drainOnSignal } from './src/shutdown.ts';
    import { createLogger } from './src/telemetry/telemetry.ts';
    drainOnSignal(() => ${drain}, ${timeoutMs}, createLogger('test', 'info'));
    setInterval(() => {}, 1_000_000);
    process.send('ready');
  `;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  const exit = once(child, 'exit');
  const lines: { level: string; msg: string; signal?: string; end?: string }[] = [];
  const { stdout } = child;
  if (stdout === null) throw new Error('no stdout');
  const reader = createInterface(stdout);
  reader.on('line', (line) => lines.push(JSON.parse(line)));
  const closed = once(reader, 'close');
  await once(child, 'message');
  return {
    signal: (name: NodeJS.Signals) => child.kill(name),
    /** Resolves when it has logged the message. */
    async logged(message: string) {
      while (!lines.some(({ msg }) => msg === message)) await once(reader, 'line');
    },
    /** Its exit code and its log, one line per event. */
    async ended() {
      const [code] = await exit;
      await closed;
      return { code, log: lines.map(({ level, msg, signal, end }) => [level, msg, signal ?? end]) };
    },
  };
}

describe(drainOnSignal, () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('drains on %s and exits with 0', async (signal) => {
    const service = await start('new Promise((resolve) => setImmediate(resolve))');
    service.signal(signal);
    expect(await service.ended()).toEqual({
      code: 0,
      log: [
        ['info', 'draining', signal],
        ['info', 'bye', 'drained'],
      ],
    });
  });

  it('exits with 1 when draining takes too long', async () => {
    const service = await start('new Promise(() => {})', 20);
    service.signal('SIGTERM');
    expect(await service.ended()).toEqual({
      code: 1,
      log: [
        ['info', 'draining', 'SIGTERM'],
        ['info', 'bye', 'late'],
      ],
    });
  });

  it('exits with 1 at once at a second signal', async () => {
    const service = await start('new Promise(() => {})');
    service.signal('SIGTERM');
    await service.logged('draining');
    service.signal('SIGINT');
    expect(await service.ended()).toEqual({
      code: 1,
      log: [
        ['info', 'draining', 'SIGTERM'],
        ['warn', 'second signal, ending at once', 'SIGINT'],
      ],
    });
  });

  it('exits with 1 when draining fails', async () => {
    const service = await start("Promise.reject(new Error('broken'))");
    service.signal('SIGTERM');
    expect(await service.ended()).toEqual({
      code: 1,
      log: [
        ['info', 'draining', 'SIGTERM'],
        ['error', 'could not drain', undefined],
      ],
    });
  });
});
