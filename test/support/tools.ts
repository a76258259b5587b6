import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Programs that tests run and that npm cannot install everywhere: the path of each, or undefined where the
 * machine has none. A test that needs one is skipped by name: `describe.skipIf(grpcurl === undefined)`.
 */

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** The first of the names that is on the PATH. */
export function findProgram(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find(isProgram);
}

/**
 * A Python that has grpcio and grpcio-reflection: the environment's PYTHON, or the PATH's python3.
 * A function, because it takes a process to find out.
 */
export function findPythonWithGrpc(): string | undefined {
  return [process.env.PYTHON, findProgram('python3')].find(
    (python) =>
      python !== undefined &&
      spawnSync(python, ['-c', 'import grpc, grpc_reflection'], { stdio: 'ignore' }).status === 0,
  );
}

const bufInstalled = fileURLToPath(new URL('../../node_modules/.bin/buf', import.meta.url));

export const buf = isProgram(bufInstalled) ? bufInstalled : findProgram('buf');
export const grpcurl = findProgram('grpcurl');
/** The S3 server of the tests, by the name in `test/support/s3-servers.ts`. */
export const s3ServerName = process.env.S3_SERVER ?? 'versitygw';
const s3ProgramName = s3ServerName === 'seaweedfs' ? 'weed' : s3ServerName;
const s3ProgramBuilt = join(homedir(), 'go/bin', s3ProgramName);
/** It verifies signatures and conditional writes. */
export const s3Program =
  findProgram(s3ProgramName) ?? (isProgram(s3ProgramBuilt) ? s3ProgramBuilt : undefined);
export const redisServer = findProgram('redis-server');
export const chromium = process.env.CHROMIUM ?? findProgram('chromium', 'chromium-browser', 'google-chrome');
export const helm = findProgram('helm');
