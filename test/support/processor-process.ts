import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./processor-program.ts', import.meta.url));

/** A processor that a test may hold, stop and kill; see processor-program.ts. */
export type ProcessorProcess = Awaited<ReturnType<typeof startProcessorProcess>>;

export async function startProcessorProcess(environment: Readonly<Record<string, string>> = {}) {
  const host = environment.HOST ?? '127.0.0.1';
  const child = fork(program, { env: { PATH: process.env.PATH, ...environment }, silent: true });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const ended = exited.then((code) => Promise.reject(new Error(`the processor ended with ${code}`)));
  ended.catch(() => {});
  const [{ port }] = (await Promise.race([once(child, 'message'), ended])) as [{ port: number }];

  /** Resolves when the process has done it. @returns how many calls have come so far */
  async function tell(message: 'hold' | 'release' | 'count'): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<number>();
    const onMessage = (reply: { message?: string; calls: number }) => {
      if (reply.message !== message) return;
      child.off('message', onMessage);
      resolve(reply.calls);
    };
    child.on('message', onMessage);
    child.send(message);
    return await Promise.race([promise, ended]);
  }

  return {
    port,
    address: `${host}:${port}`,
    url: `http://${host}:${port}`,
    exited,
    /** Holds responses back from now on. @returns a promise of the next call */
    async hold(): Promise<{ arrived: Promise<void> }> {
      await tell('hold');
      const arrived = new Promise<void>((resolve) => {
        child.on('message', (message) => message === 'arrived' && resolve());
      });
      return { arrived };
    },
    release: () => tell('release'),
    calls: () => tell('count'),
    kill: (signal: NodeJS.Signals) => void child.kill(signal),
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
