import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import process from 'node:process';
import { isLoopback } from '../loopback.ts';
import { programOf } from '../programs.ts';
import type { Report } from '../starter.ts';
import { collectorFlag } from './collector-flag.ts';

/** image-processor in a process of its own. */
export interface ProcessorProcess {
  /** Its report when it listens; undefined if it ends before. */
  readonly listening: Promise<Report | undefined>;
  /** Its exit code. */
  readonly ended: Promise<number>;
  /** Signals it, once: at a second signal it would exit without finishing its calls. */
  end(): void;
}

/** @param own - variables that replace those of `environment` */
export function startProcessorProcess(
  environment: NodeJS.ProcessEnv,
  own: { readonly HOST: string; readonly PORT: string; readonly METRICS_PORT: string },
): ProcessorProcess {
  const child = spawn(process.execPath, [collectorFlag, programOf('processor')], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    // A process group of its own: terminals and supervisors signal all of ours, and `end` signals it in its turn.
    detached: true,
    env: {
      ...environment,
      ...own,
      // Only processes of this machine reach the port, so image-api can be believed about its callers.
      ...(isLoopback(own.HOST) && { TRUST_CALLER_METADATA: environment.TRUST_CALLER_METADATA || 'true' }),
    },
  });
  return {
    listening: reportOf(child),
    ended: codeOf(child),
    end() {
      if (!child.killed) child.kill('SIGTERM');
    },
  };
}

/** One that our signal ended before it had a handler has ended well. */
async function codeOf(child: ChildProcess): Promise<number> {
  await once(child, 'exit');
  return child.exitCode ?? (child.killed ? 0 : 1);
}

async function reportOf(child: ChildProcess): Promise<Report | undefined> {
  const ended = new AbortController();
  child.once('exit', () => ended.abort());
  try {
    const [report] = (await once(child, 'message', { signal: ended.signal })) as [Report];
    return report;
  } catch {
    return undefined;
  }
}
