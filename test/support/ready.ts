import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until a URL responds with 200. @throws what the program printed, if it ends before */
export async function untilReady(url: string, program: ChildProcess, printed: () => string): Promise<void> {
  const isReady = () =>
    fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await isReady())) {
    if (program.exitCode !== null) throw new Error(printed());
    await sleep(200);
  }
}
