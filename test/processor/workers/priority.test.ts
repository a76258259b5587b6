import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import process from 'node:process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startWorkerPool } from '../../../src/processor/workers/pool.ts';
import { lowerPriority } from '../../../src/processor/workers/priority.ts';

/** The scheduling policies of a process's threads; the first thread is the process's own. */
function threadsOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).map(Number);
}

/** Of a thread: proc(5), /proc/pid/stat, fields 19 and 41, counted from the one after the name. */
function schedulingOf(thread: number) {
  const fields = readFileSync(`/proc/${thread}/stat`, 'latin1')
    .replace(/^.*\) /, '')
    .split(' ');
  return { niceness: Number(fields[16]), policy: Number(fields[38]) };
}

/** The tests may run at any nice value, and no process lowers its own. */
const workerNiceness = Math.max(10, getPriority());

const module = new URL('../../../src/processor/workers/priority.ts', import.meta.url);

describe.runIf(process.platform === 'linux')(lowerPriority, () => {
  it('gives pixel workers only idle time, and leaves the header worker’s policy unchanged', async () => {
    const pool = await startWorkerPool(2);
    onTestFinished(() => pool.close());
    const { pixels, headers } = pool.pids();
    for (const pid of pixels) expect(schedulingOf(pid)).toEqual({ niceness: workerNiceness, policy: 5 });
    const helpers = pixels.flatMap((pid) => threadsOf(pid).filter((thread) => thread !== pid));
    expect(helpers.length).toBeGreaterThan(2);
    for (const thread of helpers) expect(schedulingOf(thread).policy).toBe(5);
    for (const pid of headers) expect(schedulingOf(pid)).toEqual({ niceness: getPriority(), policy: 0 });
    expect(schedulingOf(process.pid).policy).toBe(0);
  });

  it('leaves a higher nice value unchanged', () => {
    const script = `
      import { getPriority } from 'node:os';
      const { lowerPriority } = await import(${JSON.stringify(module.href)});
      lowerPriority();
      console.log(getPriority());`;
    const command = ['-n', '19', process.execPath, '--input-type=module', '-e', script];
    expect(execFileSync('nice', command, { encoding: 'utf8' }).trim()).toBe('19');
  });

  it('sets only the nice value if the library is missing', () => {
    const script = `
      import { registerHooks } from 'node:module';
      import { readFileSync } from 'node:fs';
      registerHooks({ resolve(name, context, next) {
        if (name === 'koffi') throw new Error('no koffi here');
        return next(name, context);
      } });
      const { lowerPriority } = await import(${JSON.stringify(module.href)});
      const done = lowerPriority();
      const fields = readFileSync('/proc/self/stat', 'latin1').replace(/^.*\\) /, '').split(' ');
      console.log(done, fields[16], fields[38]);`;
    const printed = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
    });
    expect(printed.trim()).toBe(`false ${workerNiceness} 0`);
  });
});
