import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ended, endWithUs, type RunningProcess } from './services.ts';

/** A Python that replies to each line of JSON with one. */
export interface Python {
  readonly pid: number;
  /** @param bytes - follow the line */
  ask<Answer>(question: object, bytes?: Uint8Array): Promise<Answer>;
  end(): void;
}

/** Whether there is such a Python, and it has the modules, with commas between them. */
export async function pythonHas(command: string, modules: string): Promise<boolean> {
  const probe = spawn(command, ['-c', `import ${modules}`], { stdio: 'ignore' });
  return new Promise((resolve) => {
    probe.once('error', () => resolve(false));
    probe.once('exit', (code) => resolve(code === 0));
  });
}

/**
 * Starts a Python with a script that reads lines of JSON from stdin and replies to each with one.
 *
 * @param script - the text, or a file's address
 * @param args - of a file
 * @returns undefined where there is no such Python, or none that has the modules
 */
export async function startPython(
  command: string,
  script: string | URL,
  modules: string,
  args: readonly string[] = [],
): Promise<Python | undefined> {
  if (!(await pythonHas(command, modules))) return undefined;
  const program = typeof script === 'string' ? ['-c', script] : [fileURLToPath(script), ...args];
  const python = spawn(command, program, { stdio: ['pipe', 'pipe', 'inherit'] });
  endWithUs(python);
  const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();
  return {
    pid: python.pid as number,
    async ask<Answer>(question: object, bytes?: Uint8Array) {
      python.stdin.write(`${JSON.stringify(question)}\n`);
      if (bytes !== undefined && !python.stdin.write(bytes)) await once(python.stdin, 'drain');
      const { value, done } = await lines.next();
      if (done) throw new Error(`${command} ended`);
      return JSON.parse(value) as Answer;
    },
    end: () => python.stdin.end(),
  };
}

/** Starts a Python web app, which says its port and ends with its stdin. */
export async function startPythonApp(
  command: string,
  script: URL,
  name: string,
  modules: string,
): Promise<RunningProcess | undefined> {
  if (!(await pythonHas(command, modules))) return undefined;
  const child = spawn(command, [fileURLToPath(script), name], { stdio: ['pipe', 'pipe', 'inherit'] });
  endWithUs(child);
  const port = await new Promise<number>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${name} ended with ${code}`)));
    createInterface(child.stdout).once('line', (line) => resolve(Number(line)));
  });
  return { pid: child.pid as number, port, stop: () => ended(child) };
}
