import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';

/** One subject that was compared: a type of image processor with one of its libraries, or one named config. */
export interface ComparedSubject {
  readonly family: string;
  readonly name: string;
  readonly library: string;
  readonly seed: string;
  readonly configs: number;
  /** Single images of which both made tensors. */
  readonly images: number;
  /** Batches of which both made tensors. */
  readonly batches: number;
  /** Of all tensors together. */
  readonly values: number;
  readonly differing: number;
  readonly maxDelta: number;
  /** Images that both refused. */
  readonly refusedByBoth: number;
  /** Why we refuse images that the library takes, each message once. */
  readonly refusals: readonly string[];
  /** Everything else that differs. */
  readonly problems: readonly string[];
  /** Whether this library's results are compared within a tolerance. */
  readonly tolerance?: number | undefined;
  /** The family's name and its library's version. */
  readonly version: string;
  /** YYYY-MM-DD */
  readonly date: string;
}

/** Results of earlier runs. Git ignores the folder. */
const stateFile = new URL('../../.parity/models.jsonl', import.meta.url);

/** All results, the newest of a subject last. */
export function readState(): readonly ComparedSubject[] {
  if (!existsSync(stateFile)) return [];
  const lines = readFileSync(stateFile, 'utf8').split('\n');
  // The last line of a run that was ended while it wrote is incomplete.
  return lines.slice(0, -1).map((line) => JSON.parse(line));
}

export function addToState(subject: ComparedSubject): void {
  mkdirSync(new URL('.', stateFile), { recursive: true });
  appendFileSync(stateFile, `${JSON.stringify(subject)}\n`);
}
