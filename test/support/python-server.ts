import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { untilReady } from './ready.ts';

/**
 * Starts a model server in Python and waits until it is ready by the Open Inference Protocol.
 *
 * @param parameters - its script and the arguments of that
 * @param endSignal - by which it ends
 */
export async function startPythonServer(
  python: string | undefined,
  parameters: readonly string[],
  port: number,
  endSignal: NodeJS.Signals,
): Promise<AsyncDisposable & { readonly url: string }> {
  const server = spawn(python ?? '', parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  const exited = once(server, 'exit');
  let printed = '';
  server.stderr.on('data', (chunk: Buffer) => {
    printed += chunk;
  });
  const url = `http://127.0.0.1:${port}`;
  await untilReady(`${url}/v2/health/ready`, server, () => printed);
  return {
    url,
    async [Symbol.asyncDispose](): Promise<void> {
      server.kill(endSignal);
      await exited;
    },
  };
}
