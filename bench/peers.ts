import { type Cost, costOf, sha256 } from './load.ts';
import { startPython, startPythonApp } from './python.ts';
import type { Question, Work } from './rival.ts';
import { asked, ended, startPart, workers } from './services.ts';
import { type BenchPlan, referencePlan } from './work.ts';

/*
 * Other programs for the same work: our stages without a service, sharp, Pillow, OpenCV; as a loop and behind HTTP.
 */

/** Someone who does work in a process of his own. */
export interface Peer {
  readonly pids: readonly number[];
  prepare(work: Work): Promise<void>;
  /** @returns the wall times */
  run(count: number, inFlight: number): Promise<readonly number[]>;
  /** Of the last run: one to each job, in their order. */
  answers(): Promise<readonly Uint8Array[]>;
  stop(): Promise<void>;
}

/** `floor`: our stages and workers; `sharp`: its obvious chain. */
export async function startRival(way: 'floor' | 'sharp'): Promise<Peer> {
  const { child } = await startPart('./rival.ts', [way, String(workers)]);
  const ask = <Answer>(question: Question) => asked<Answer>(child, question);
  return {
    pids: [child.pid as number],
    prepare: async (work) => void (await ask({ kind: 'prepare', ...work })),
    run: (count, inFlight) => ask({ kind: 'run', count, inFlight }),
    answers: () => ask({ kind: 'answers' }),
    stop: () => ended(child),
  };
}

/** Each source by one plan. */
export function eachSource(sources: readonly Uint8Array[], plan: BenchPlan): Work {
  return { sources, plans: [plan], jobs: sources.map((_, at) => [at, 0] as const) };
}

/** The floor's result for each source, and its exact pixels. */
export async function referenceOf(
  floor: Peer,
  sources: readonly Uint8Array[],
  plan: BenchPlan,
): Promise<{ readonly hashes: string[]; readonly answers: Uint8Array[]; readonly pixels: Uint8Array[] }> {
  const make = async (one: BenchPlan) => {
    await floor.prepare(eachSource(sources, one));
    await floor.run(sources.length, workers);
    return [...(await floor.answers())];
  };
  const answers = await make(plan);
  return { hashes: answers.map(sha256), answers, pixels: await make(referencePlan(plan)) };
}

export async function costOfPeer(peer: Peer, count: number, inFlight: number): Promise<Cost> {
  return costOf(peer.pids, () => peer.run(count, inFlight));
}

/** The names that the rivals have for what they do. */
export type RivalWork = 'grayJpeg' | 'png' | 'tensor' | 'clip' | 'colourJpeg' | 'smallPng';

export function rivalWork({ output }: BenchPlan): RivalWork {
  if (output.kind === 'tensor') return 'tensor';
  return output.format === 'png' ? 'png' : 'grayJpeg';
}

/** Pillow and numpy in a bare process, which does one thing after the other. */
export async function startPillow(command: string): Promise<Peer | undefined> {
  const script = new URL('./rivals/python_alone.py', import.meta.url);
  const python = await startPython(command, script, 'PIL, numpy', ['pillow']);
  if (python === undefined) return undefined;
  let work: RivalWork = 'grayJpeg';
  return {
    pids: [python.pid],
    async prepare({ sources, plans: [plan] }) {
      work = rivalWork(plan as BenchPlan);
      await python.ask({ files: sources.map((source) => Buffer.from(source).toString('base64')) });
    },
    run: (count) => python.ask<number[]>({ work, count }),
    async answers() {
      const answers = await python.ask<string[]>({ answers: true });
      return answers.map((answer) => Buffer.from(answer, 'base64'));
    },
    stop: async () => python.end(),
  };
}

export interface RivalApp {
  readonly name: string;
  readonly pids: readonly number[];
  url(plan: BenchPlan): string;
  stop(): Promise<void>;
}

/** sharp in Hono, Pillow and OpenCV in FastAPI; and the names of those that are not installed. */
export async function startRivalApps(
  python: string,
): Promise<{ readonly apps: readonly RivalApp[]; readonly missing: readonly string[] }> {
  const { child, hello } = await startPart<{ port: number }>('./rivals/hono-sharp.ts', []);
  const hono = { pid: child.pid as number, port: hello.port, stop: () => ended(child) };
  const script = new URL('./rivals/fastapi_apps.py', import.meta.url);
  const common = 'fastapi, uvicorn, python_multipart, numpy';
  const pillow = await startPythonApp(python, script, 'pillow', `${common}, PIL`);
  const opencv = await startPythonApp(python, script, 'opencv', `${common}, cv2`);
  const all = { 'sharp in Hono': hono, 'Pillow in FastAPI': pillow, 'OpenCV in FastAPI': opencv };
  const missing = Object.entries(all).flatMap(([name, app]) => (app === undefined ? [name] : []));
  const apps = Object.entries(all).flatMap(([name, app]) =>
    app === undefined
      ? []
      : {
          name: `${name}, multipart`,
          pids: [app.pid],
          url: (plan: BenchPlan) => `http://127.0.0.1:${app.port}/${rivalWork(plan)}`,
          stop: app.stop,
        },
  );
  return { apps, missing };
}
