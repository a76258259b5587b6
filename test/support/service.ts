import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

type Environment = Readonly<Record<string, string>>;

/** One of the two services as a process of its own. */
interface ServiceProcess {
  readonly port: number;
  /** Its log so far, one JSON line per event. */
  readonly log: readonly string[];
  kill(signal: NodeJS.Signals): void;
  /** Its exit code; null if a signal ended it. */
  readonly exited: Promise<number | null>;
}

/** image-api and image-processor, both running. `await using` ends them with the test. */
export interface Service extends AsyncDisposable {
  /** `http://127.0.0.1:port` of image-api. */
  readonly url: string;
  /** `127.0.0.1:port` of image-processor, as grpcurl takes it. */
  readonly address: string;
  readonly api: ServiceProcess;
  readonly processor: ServiceProcess;
  /** Ends both as an orchestrator does, with SIGTERM, and returns their exit codes. */
  stop(): Promise<{ api: number | null; processor: number | null }>;
}

/**
 * Starts both services by their mains on free ports of the loopback.
 *
 * @param environment - what is set besides the ports
 */
export async function startService(
  environment: { readonly api?: Environment; readonly processor?: Environment } = {},
): Promise<Service> {
  const processor = await startProcess('processor', { METRICS_PORT: '0', ...environment.processor });
  const address = `127.0.0.1:${processor.port}`;
  const api = await startProcess('api', { PROCESSOR_URL: `http://${address}`, ...environment.api }).catch(
    async (error: unknown) => {
      processor.kill('SIGKILL');
      throw error;
    },
  );
  const stop = async () => {
    // In this order nothing in flight loses its processor.
    api.kill('SIGTERM');
    const apiCode = await api.exited;
    processor.kill('SIGTERM');
    return { api: apiCode, processor: await processor.exited };
  };
  return {
    url: `http://127.0.0.1:${api.port}`,
    address,
    api,
    processor,
    stop,
    [Symbol.asyncDispose]: () => stop().then(() => {}),
  };
}

/** Starts a main and waits for the event that contains its port. */
async function startProcess(name: 'api' | 'processor', environment: Environment): Promise<ServiceProcess> {
  const main = fileURLToPath(new URL(`../../src/${name}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, [main], {
    // The machine's own settings, such as a REDIS_URL, must not leak into a test.
    env: { PATH: process.env.PATH, HOST: '127.0.0.1', PORT: '0', LOG_LEVEL: 'info', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  void exited.then(() => process.off('exit', kill));

  const log: string[] = [];
  createInterface(child.stderr).on('line', (line) => log.push(line));
  const port = await new Promise<number>((resolve, reject) => {
    createInterface(child.stdout).on('line', (line) => {
      log.push(line);
      if (!line.includes(`image-${name} listens`)) return;
      const event: { port: number } = JSON.parse(line);
      resolve(event.port);
    });
    child.once('error', reject);
    void exited.then((code) =>
      reject(new Error(`image-${name} ended with ${code} at its start:\n${log.join('\n')}`)),
    );
  });
  return { port, log, kill: (signal) => void child.kill(signal), exited };
}
