import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** A service as a process of its own. `await using` ends it. */
export interface ServiceProcess extends AsyncDisposable {
  readonly name: 'api' | 'processor';
  readonly pid: number;
  readonly port: number;
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Its latest lines, JSON an event. */
  readonly log: readonly string[];
  kill(signal: NodeJS.Signals): void;
  /** How it ended: `0`, `SIGKILL`, … */
  readonly exited: Promise<string>;
  readonly hasExited: boolean;
  /** The figures of its /metrics: `image_processor_requests_total{outcome="OK"}` → 3. */
  metrics(): Promise<ReadonlyMap<string, number>>;
}

const logLines = 2000;

/**
 * Starts a service by its main on a loopback port, with the flags that its container gives it, and waits until it
 * listens. Nothing of the machine's own settings gets in.
 *
 * @param flags - more flags for Node
 */
export async function startMain(
  name: 'api' | 'processor',
  environment: Readonly<Record<string, string>> = {},
  flags: readonly string[] = [],
): Promise<ServiceProcess> {
  const main = fileURLToPath(new URL(`../../src/${name}/main.ts`, import.meta.url));
  const child = spawn(process.execPath, ['--external-memory-accounted-in-global-limit', ...flags, main], {
    env: {
      PATH: process.env.PATH,
      HOST: '127.0.0.1',
      PORT: '0',
      ...(name === 'processor' ? { METRICS_PORT: '0' } : {}),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  endWithUs(child);
  let hasExited = false;
  const exited = once(child, 'exit').then(([code, signal]) => {
    hasExited = true;
    return String(code ?? signal);
  });
  const log: string[] = [];
  const keep = (line: string): void => {
    log.push(line);
    if (log.length > logLines) log.shift();
  };
  createInterface(child.stderr).on('line', keep);
  const lines = createInterface(child.stdout).on('line', keep);
  const { port, metricsPort } = await new Promise<{ port: number; metricsPort?: number }>(
    (resolve, reject) => {
      lines.on('line', (line) => {
        if (line.includes(`image-${name} listens`)) resolve(JSON.parse(line));
      });
      void exited.then((how) =>
        reject(new Error(`image-${name} ended with ${how} at its start:\n${log.join('\n')}`)),
      );
    },
  );
  const kill = (signal: NodeJS.Signals) => void child.kill(signal);
  return {
    name,
    pid: child.pid as number,
    port,
    url: `http://127.0.0.1:${port}`,
    log,
    kill,
    exited,
    get hasExited() {
      return hasExited;
    },
    async metrics() {
      const answer = await fetch(`http://127.0.0.1:${metricsPort ?? port}/metrics`);
      const samples = (await answer.text()).matchAll(/^([a-z]\S*(?:\{.*\})?) (\S+)$/gm);
      return new Map(Array.from(samples, ([, sample = '', value]) => [sample, Number(value)]));
    },
    async [Symbol.asyncDispose]() {
      kill('SIGCONT');
      kill('SIGTERM');
      const late = setTimeout(kill, 10_000, 'SIGKILL');
      await exited;
      clearTimeout(late);
    },
  };
}

/** A child that doesn't outlive us, whatever ends us. */
export function endWithUs(child: ChildProcess): void {
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
}

/** A process as proc(5) shows it. */
export interface ProcessState {
  readonly pid: number;
  readonly command: string;
  readonly rssBytes: number;
  /** user + sys of the process itself since its start, in seconds. */
  readonly cpuSeconds: number;
}

/**
 * The process and all that descend from it, it first. Those that end meanwhile are left out.
 *
 * By proc(5), /proc/pid/task/tid/children: to look through all processes ten times a second would keep the services
 * waiting.
 */
export function processTree(root: number): ProcessState[] {
  const tree = stateOf(root);
  for (const { pid } of tree) tree.push(...childrenOf(pid).flatMap(stateOf));
  return tree;
}

/** Those that its main thread has started, as Node's are. */
function childrenOf(pid: number): number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1');
    return (children.match(/\d+/g) ?? []).map(Number);
  } catch {
    return [];
  }
}

function stateOf(pid: number): ProcessState[] {
  try {
    const read = (file: string) => readFileSync(`/proc/${pid}/${file}`, 'latin1');
    const status = read('status');
    const field = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    const command = read('cmdline').replaceAll('\0', ' ').trim();
    // After the name, which may have blanks: utime and stime are fields 14 and 15, in hundredths of a second.
    const times = read('stat')
      .replace(/^.*\) /, '')
      .split(' ');
    const cpuSeconds = (Number(times[11]) + Number(times[12])) / 100;
    return [{ pid, command, rssBytes: field('VmRSS') * 1024, cpuSeconds }];
  } catch {
    return [];
  }
}

/** Process ids of a processor's workers for pixels. */
export function pixelWorkers(processor: number): number[] {
  return processTree(processor).flatMap(({ pid, command }) =>
    /worker-process\.ts pixels\b/.test(command) ? pid : [],
  );
}

/** Open file descriptors: files, sockets, pipes. */
export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

/** Established connections to a local TCP port, on the side that accepted them. */
export function connectionsTo(port: number): number {
  const established = '01';
  return ['/proc/net/tcp', '/proc/net/tcp6']
    .flatMap((path) => readFileSync(path, 'latin1').split('\n'))
    .filter((line) => {
      const [, local, , state] = line.trim().split(/\s+/);
      return state === established && Number.parseInt(local?.split(':')[1] ?? '', 16) === port;
    }).length;
}

/** The role of a process of a service, for a table. */
function roleOf({ command }: ProcessState): string {
  const [, role] = /worker-process\.ts (\w+)/.exec(command) ?? [];
  const [, service] = /src\/(\w+)\/main\.ts$/.exec(command) ?? [];
  if (role !== undefined) return `${role} workers`;
  return service === undefined ? 'the sender' : `image-${service}`;
}

/**
 * Puts this session's processes, those under test among them, before whatever else the machine does; in what order they
 * go among themselves stays as it is. Linux gives each session its share (sched(7), autogroups), and only root may ask
 * for more.
 *
 * @returns whether it was possible
 */
export function putSessionFirst(): boolean {
  try {
    writeFileSync('/proc/self/autogroup', '-10');
    return true;
  } catch {
    return false;
  }
}

/** Times of all cores together since the start of the machine, in seconds: proc(5), /proc/stat, in hundredths. */
export interface MachineTimes {
  /** All that is not idle, the stolen time included. */
  readonly busy: number;
  readonly idle: number;
  /** Given to other machines on the same host. */
  readonly stolen: number;
}

export function machineTimes(): MachineTimes {
  const [, ...ticks] = readFileSync('/proc/stat', 'latin1').split(/\s+/, 9).map(Number);
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0] = ticks;
  return {
    busy: (user + nice + system + irq + softirq + steal) / 100,
    idle: (idle + iowait) / 100,
    stolen: steal / 100,
  };
}

/** Waits until the machine has little else to do. @returns cores that are in use in the end, when it is at its limit */
export async function quietMachine(limitMs: number): Promise<number> {
  const until = performance.now() + limitMs;
  for (;;) {
    const before = machineTimes();
    await sleep(2000);
    const cores = (machineTimes().busy - before.busy) / 2;
    if (cores < 0.2 || performance.now() > until) return cores;
  }
}

/** Cores that are used on average from one look to another, by role. */
export function coresUsed(
  before: readonly ProcessState[],
  after: readonly ProcessState[],
  seconds: number,
): ReadonlyMap<string, number> {
  const used = new Map<string, number>();
  for (const state of after) {
    const earlier = before.find(({ pid }) => pid === state.pid)?.cpuSeconds ?? 0;
    const role = roleOf(state);
    used.set(role, (used.get(role) ?? 0) + (state.cpuSeconds - earlier) / seconds);
  }
  return used;
}
