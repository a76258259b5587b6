import childProcess from 'node:child_process';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

/*
 * Loaded with --import into an image-processor of allocator.ts: its workers get the environment of
 * BENCH_WORKER_ENVIRONMENT (JSON) over the one that workers/child.ts gives them; null takes a variable away.
 */

const changes = JSON.parse(process.env.BENCH_WORKER_ENVIRONMENT ?? '{}') as Record<string, string | null>;
const spawn = childProcess.spawn as (
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv },
) => unknown;

Object.assign(childProcess, {
  spawn(command: string, args: readonly string[], options: { env?: NodeJS.ProcessEnv }) {
    const env = { ...options.env };
    for (const [name, value] of Object.entries(changes)) {
      if (value === null) delete env[name];
      else env[name] = value;
    }
    return spawn(command, args, { ...options, env });
  },
});
syncBuiltinESMExports();
