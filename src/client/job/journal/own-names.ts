import { randomUUID } from 'node:crypto';
import { join } from 'node:path';

/** The journal's name in the output folder. */
export const journalName = 'journal.jsonl';
/** The name of the list of failures there. */
export const failuresName = 'failures.jsonl';
/** Present while a run works in the folder, or after one was killed there. */
export const lockName = '.image-client.lock';

const temporaryName = /^\.image-client-job-[0-9a-f-]{36}\.tmp$/;

/** A new name in a folder for content that is not complete. */
export function temporaryPath(folder: string): string {
  return join(folder, `.image-client-job-${randomUUID()}.tmp`);
}

/** Whether a run has left a file that it had not completed. */
export function isTemporary(name: string): boolean {
  return temporaryName.test(name);
}

/**
 * Whether an output would have, or lie in, one of the names above.
 *
 * @param output - a path in the output folder, folded by `foldedName`
 */
export function isOwnName(output: string): boolean {
  const [first = ''] = output.split('/');
  return [journalName, failuresName, lockName].includes(first) || output.split('/').some(isTemporary);
}

/**
 * A name as the file systems compare it that know neither letter case nor the ways in which an accent is written: equal
 * results may be one file.
 */
export function foldedName(name: string): string {
  return name.normalize('NFD').toUpperCase().toLowerCase().normalize('NFC');
}
