import { readdirSync, readFileSync } from 'node:fs';
import koffi from 'koffi';

/*
 * The resources of processes and all their descendants, by Linux' /proc: image-processor's workers are processes of
 * their own.
 */

/** The measurements of a tree of processes. Times are in milliseconds. */
interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** user + sys of children that have ended and were waited for. */
  readonly endedChildrenMs: number;
}

/** proc(5): /proc/pid/stat, in ticks of USER_HZ, which is 100 on every machine of today. */
const tickMs = 10;

function statOf(pid: number): ProcessStat | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name before may have spaces and parentheses; field 3 follows.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const field = (number: number) => Number(fields[number - 3]);
    return { pid, parent: field(4), endedChildrenMs: (field(16) + field(17)) * tickMs };
  } catch {
    return undefined;
  }
}

/** The processes and all their descendants that live now. */
export function treeOf(pids: readonly number[]): ProcessStat[] {
  const all = readdirSync('/proc').flatMap((name) =>
    /^\d+$/.test(name) ? (statOf(Number(name)) ?? []) : [],
  );
  let found = all.filter(({ pid }) => pids.includes(pid));
  for (let level = found; level.length > 0; ) {
    level = all.filter(({ parent }) => level.some(({ pid }) => pid === parent));
    found = [...found, ...level];
  }
  return found;
}

const clockGettime = koffi.load('libc.so.6').func('int clock_gettime(int clock, void *time)');

/** user + sys of a whole process, threads that have ended too; in nanoseconds, where /proc has ticks of 10 ms. */
export function cpuClockMs(pid: number): number {
  // clock_getcpuclockid(3): the process's id inverted, and 2 for the scheduler's own count.
  const clock = (~pid << 3) | 2;
  const time = new BigInt64Array(2);
  return clockGettime(clock, time) === 0 ? Number(time[0]) * 1000 + Number(time[1]) / 1e6 : 0;
}

/** user + sys of processes and all their descendants since they began, including ended ones, in milliseconds. */
export function cpuMsOfTree(pids: readonly number[]): number {
  return treeOf(pids).reduce((sum, { pid, endedChildrenMs }) => sum + cpuClockMs(pid) + endedChildrenMs, 0);
}

/** The parts of the services whose memory is reported. */
export type Role = 'services' | 'worker' | 'header worker';

export interface MemoryUse {
  readonly pid: number;
  readonly role: Role;
  /** Megabytes. */
  readonly rssMb: number;
  readonly peakRssMb: number;
}

/** Resident memory of every process of the trees, and its peak since it began. */
export function memoryOfTree(pids: readonly number[]): MemoryUse[] {
  return treeOf(pids).flatMap(({ pid }) => {
    try {
      const status = readFileSync(`/proc/${pid}/status`, 'latin1');
      const megabytes = (name: string) => (Number(status.match(`${name}:\\s+(\\d+) kB`)?.[1]) * 1024) / 1e6;
      const role = roleOf(readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
      const use = { pid, role, rssMb: megabytes('VmRSS'), peakRssMb: megabytes('VmHWM') };
      // One that is just ending has no memory any more.
      return Number.isNaN(use.peakRssMb) ? [] : [use];
    } catch {
      return [];
    }
  });
}

/**
 * Memory of the services of a tree in megabytes, shared pages divided among those that share them (PSS: proc(5),
 * smaps_rollup). npm and its shell do not count: nothing but `npm start` has them.
 */
export function servicesPssMb(pid: number): number {
  return treeOf([pid]).reduce((sum, one) => {
    const isService = readFileSync(`/proc/${one.pid}/cmdline`, 'latin1').match(/\b(src|dist)\//) !== null;
    if (!isService) return sum;
    const rollup = readFileSync(`/proc/${one.pid}/smaps_rollup`, 'latin1');
    return sum + (Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) * 1024) / 1e6;
  }, 0);
}

function roleOf(commandLine: string): Role {
  if (commandLine.includes('\0pixels\0')) return 'worker';
  if (commandLine.includes('\0headers\0')) return 'header worker';
  return 'services';
}

/** Looks every few milliseconds, so that a worker counts that is replaced in between. */
export function watchPeaks(pids: readonly number[]): { peaks(): MemoryUse[] } & Disposable {
  const seen = new Map<number, MemoryUse>();
  const look = () => {
    for (const use of memoryOfTree(pids)) seen.set(use.pid, use);
  };
  look();
  const timer = setInterval(look, 20);
  return {
    peaks() {
      look();
      return [...seen.values()];
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
