import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { request } from 'undici';
import type { RivalWork } from '../peers.ts';
import { startPythonApp } from '../python.ts';
import { ended, endWithUs, workers } from '../services.ts';
import { type WorkName, works } from './works.ts';

/*
 * The programs that are compared: the service as `npm start` starts it, and the rivals.
 */

/** A program that does works over HTTP. */
export interface Contender {
  readonly name: string;
  readonly pid: number;
  /** The URL of a work, to which its source is sent. Undefined: the program does not do the work. */
  url(name: WorkName): string | undefined;
  /** Whether the program reads the sources from its disk: nothing is sent. */
  readonly readsFiles?: true;
  stop(): Promise<void>;
}

/** Also the address of the processor. */
export interface Ours extends Contender {
  readonly processorUrl: string;
}

export const root = fileURLToPath(new URL('../../', import.meta.url));

/** Both services, with all settings as `npm start` has them but for ports and workers. */
export async function startOurs(): Promise<Ours> {
  const environment = await startEnvironment();
  const child = spawn(process.execPath, ['src/start/start.js'], {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  endWithUs(child);
  const origin = `http://127.0.0.1:${environment.PORT}`;
  await becomesReady(`${origin}/readyz`);
  return {
    name: 'ours',
    pid: child.pid as number,
    processorUrl: `http://127.0.0.1:${environment.PROCESSOR_PORT}`,
    url: (name) => `${origin}/v1/images?${new URLSearchParams(works[name].query)}`,
    stop: () => ended(child),
  };
}

/** Free ports, the workers of all parts, and nothing of this process but PATH. */
export async function startEnvironment() {
  const [PORT, PROCESSOR_PORT, METRICS_PORT] = (await freePorts(3)) as [string, string, string];
  return { PATH: process.env.PATH, PORT, PROCESSOR_PORT, METRICS_PORT, WORKERS: String(workers) };
}

async function freePorts(count: number): Promise<string[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => String((server.address() as AddressInfo).port));
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

async function becomesReady(url: string): Promise<void> {
  const until = Date.now() + 60_000;
  while (Date.now() < until) {
    const { statusCode, body } = await request(url).catch(() => ({ statusCode: 0, body: undefined }));
    await body?.dump();
    if (statusCode === 200) return;
    await sleep(20);
  }
  throw new Error(`${url} was not ready within a minute`);
}

/** Libraries of Python in FastAPI: their names, and the modules that they need. */
const pythonApps = {
  opencv: { name: 'OpenCV', modules: 'cv2, numpy' },
  torchvision: { name: 'torchvision', modules: 'torch, torchvision' },
  transformers: { name: 'transformers', modules: 'transformers, torchvision, safetensors, PIL' },
  pillow: { name: 'Pillow', modules: 'PIL, numpy' },
} as const;

export type Library = keyof typeof pythonApps;

/** @returns the library's name, where it is not installed */
export async function startLibrary(python: string, library: Library): Promise<Contender | string> {
  const { name, modules } = pythonApps[library];
  const script = new URL('../rivals/fastapi_apps.py', import.meta.url);
  const app = await startPythonApp(python, script, library, `fastapi, uvicorn, python_multipart, ${modules}`);
  if (app === undefined) return name;
  return {
    name,
    pid: app.pid,
    url: (work) =>
      library === 'transformers' && works[work].rival !== 'clip'
        ? undefined
        : `http://127.0.0.1:${app.port}/body/${works[work].rival}`,
    stop: app.stop,
  };
}

/** imgproxy's options of the works that it does. */
const imgproxyWorks: Readonly<Partial<Record<RivalWork, string>>> = {
  colourJpeg: 'rs:force:512:512/q:80/f:jpg',
  smallPng: 'rs:force:224:224/f:png',
};

/**
 * imgproxy with its defaults. It reads the files from its disk, where others receive them over HTTP.
 *
 * @returns its name, where there is no such program
 */
export async function startImgproxy(command: string): Promise<Contender | string> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-'));
  await Promise.all(Object.entries(works).map(([name, { source }]) => writeFile(join(folder, name), source)));
  const [port] = (await freePorts(1)) as [string];
  const child = spawn(command, {
    env: {
      PATH: process.env.PATH,
      LD_LIBRARY_PATH: process.env.LD_LIBRARY_PATH,
      IMGPROXY_BIND: `127.0.0.1:${port}`,
      IMGPROXY_LOCAL_FILESYSTEM_ROOT: folder,
      IMGPROXY_LOG_LEVEL: 'error',
    },
    stdio: 'ignore',
  });
  const stop = async () => {
    await ended(child);
    await rm(folder, { recursive: true });
  };
  const isMissing = await new Promise<boolean>((resolve) => {
    child.once('error', () => resolve(true));
    child.once('spawn', () => resolve(false));
  });
  if (isMissing) {
    await rm(folder, { recursive: true });
    return 'imgproxy';
  }
  endWithUs(child);
  const origin = `http://127.0.0.1:${port}`;
  await becomesReady(`${origin}/health`);
  const url = (name: WorkName) => {
    const options = imgproxyWorks[works[name].rival];
    return options && `${origin}/insecure/${options}/plain/local:///${name}`;
  };
  return { name: 'imgproxy', pid: child.pid as number, url, readsFiles: true, stop };
}
