import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import sharp from 'sharp';
import { findFreePort } from '../support/redis.ts';

/*
 * The first steps of a new user: clone, `npm ci`, `npm start`, and the curl that it prints. `npm test` does
 * not run it, because it installs everything once more.
 */

const repository = path.resolve(import.meta.dirname, '../..');
const clone = mkdtempSync(path.join(tmpdir(), 'image-service-'));
// As in a shell: this checkout's node is not first on the PATH.
const shellPath = (process.env.PATH ?? '')
  .split(path.delimiter)
  .filter((folder) => !folder.includes('node_modules'))
  .join(path.delimiter);
const environment = { ...process.env, PATH: shellPath };

let service: ChildProcess | undefined;
try {
  execFileSync('git', ['clone', '--quiet', repository, clone]);
  execFileSync('npm', ['ci', '--loglevel=error'], { cwd: clone, env: environment, stdio: 'inherit' });

  const [port, processorPort, metricsPort] = await Promise.all([
    findFreePort(),
    findFreePort(),
    findFreePort(),
  ]);
  const ports = {
    PORT: String(port),
    PROCESSOR_PORT: String(processorPort),
    METRICS_PORT: String(metricsPort),
  };
  service = spawn('npm', ['start'], {
    cwd: clone,
    env: { ...environment, ...ports },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  });
  const screen = await printed(service, /End: Ctrl\+C/);
  const curl = screen.split('\n').find((line) => line.trim().startsWith('curl '));
  if (curl === undefined) throw new Error(`npm start printed no curl:\n${screen}`);
  process.stdout.write(`${curl.trim()}\n`);
  execFileSync('sh', ['-c', curl], { cwd: clone, stdio: 'inherit' });

  const [, file = ''] = / -o (\S+)/.exec(curl) ?? [];
  const { width, height, channels } = await sharp(path.join(clone, file)).metadata();
  if (width !== 1024 || height !== 768 || channels !== 1) {
    throw new Error(`the output is ${width} × ${height} × ${channels}, not 1024 × 768 × 1`);
  }
} finally {
  if (service?.pid !== undefined && service.exitCode === null) {
    const ended = once(service, 'exit');
    process.kill(-service.pid, 'SIGTERM');
    await ended;
  }
  rmSync(clone, { recursive: true, force: true });
}

async function printed(child: ChildProcess, end: RegExp): Promise<string> {
  let text = '';
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    if (end.test(text)) return text;
  }
  throw new Error(`npm start ended early:\n${text}`);
}
