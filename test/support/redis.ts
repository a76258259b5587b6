import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { redisServer } from './tools.ts';

/** A separate redis-server for a test. `await using` ends it with the test. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** `redis://127.0.0.1:port` */
  readonly url: string;
  /** Kills it (SIGKILL) and waits until it has ended. */
  stop(): Promise<void>;
  /** Stops it with SIGSTOP: connections stay open, and the kernel still accepts new ones. */
  freeze(): void;
  thaw(): void;
}

/**
 * Starts an empty redis-server on loopback and waits until it responds.
 *
 * @param options.port - a free one by default; the former one to start a server "again"
 * @param options.parameters - as on its command line: `['--maxmemory', '1mb']`
 */
export async function startRedis(
  options: { port?: number; parameters?: readonly string[] } = {},
): Promise<RedisServer> {
  if (redisServer === undefined) throw new Error('there is no redis-server on the PATH');
  const port = options.port ?? (await findFreePort());
  const child = spawn(
    redisServer,
    [
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', tmpdir()],
      ...['--save', '', '--appendonly', 'no', ...(options.parameters ?? [])],
    ],
    // Not 'inherit': a server that outlives its test would keep its end of the pipe open and the whole run waiting.
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  const exited = once(child, 'exit');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  void exited.then(() => process.off('exit', kill));
  const stop = async () => {
    kill();
    await exited;
  };

  const lines: string[] = [];
  const reader = createInterface(child.stdout);
  await new Promise<void>((resolve, reject) => {
    reader.on('line', (line) => {
      lines.push(line);
      if (line.includes('Ready to accept connections')) resolve();
    });
    void exited.then(() => reject(new Error(`redis-server ended at once:\n${lines.join('\n')}`)));
  });

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    stop,
    freeze: () => void child.kill('SIGSTOP'),
    thaw: () => void child.kill('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  };
}

/** A port of loopback on which nothing listened a moment ago. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
