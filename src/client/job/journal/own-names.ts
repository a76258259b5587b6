import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

/** The journal's name in the output folder. */
export const journalName = 'journal.jsonl';
/** The name of the list of failures there. */
export const failuresName = 'failures.jsonl';
/** The lock file: present during a run, and after a run was killed. */
export const lockName = '.image-client.lock';

const temporaryName = /^\.image-client-job-[0-9a-f-]{36}\.tmp$/;

/** A new path in a folder for a file that is being written. */
export function temporaryPath(folder: string): string {
  return join(folder, `.image-client-job-${randomUUID()}.tmp`);
}

/** Whether a file is an incomplete one of a killed run. */
export function isTemporary(name: string): boolean {
  return temporaryName.test(name);
}

/**
 * Whether an output's path is, or begins with, one of the names above.
 *
 * @param output - a path in the output folder, folded by `foldedName`
 */
export function isOwnName(output: string): boolean {
  const [first = ''] = output.split('/');
  return [journalName, failuresName, lockName].includes(first) || output.split('/').some(isTemporary);
}

/**
 * A name as it is compared by file systems that ignore case and Unicode normalisation. Names with equal results may be
 * one file.
 */
export function foldedName(name: string): string {
  return name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}
