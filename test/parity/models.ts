import type { JsonValue } from '@bufbuild/protobuf';
import type { Failure } from '../../src/failures.ts';
import { type Compared, compareTensors, type NamedTensor } from './compare-tensors.ts';
import { type Results, readResults } from './models-results.ts';
import { addToState, type ComparedSubject, readState } from './models-state.ts';
import { type Outcome, ourBatch, ourTensors, refusalOf } from './our-tensors.ts';
import { type PythonPeer, startPython } from './python-peer.ts';

/** The choice of subjects and images of a run. */
export interface ModelsRun {
  readonly python: string;
  readonly seed: string;
  /** Random configs of each type. */
  readonly configs: number;
  readonly family?: string | undefined;
  /** Subjects whose name contains this. */
  readonly type?: string | undefined;
  readonly library?: string | undefined;
  /** Compare again what an earlier run with this seed has compared. */
  readonly again: boolean;
}

/** A type of image processor or a published config, as models/peer.py lists it. */
interface Subject {
  readonly family: string;
  readonly name: string;
  readonly library: string;
  readonly random?: boolean;
  readonly tolerance?: number;
}

interface Described {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly bytes: number;
}

/** The library's tensors, or its error. */
type Theirs = { readonly tensors: readonly Described[] } | { readonly refusal: string };

interface Case {
  readonly request: { readonly [key: string]: JsonValue };
  readonly files: readonly {
    readonly kind: string;
    readonly width: number;
    readonly height: number;
    readonly bytes: number;
  }[];
  readonly outcomes: readonly Theirs[];
  /** Null: the library has no batches. */
  readonly batch: Theirs | null;
}

/** Images of each config. The first config is a class's own values, often for large sizes. */
const imagesOf = (subject: Subject, index: number) => (subject.random && index === 0 ? 1 : 3);

/**
 * Compares tensors of random images, under random or published configs, with those of the models' own libraries, and
 * prints a line for each subject. A run continues where an earlier one with the same seed ended.
 *
 * @returns whether all were equal, or refused by us with a reason
 */
export async function compareModels(run: ModelsRun): Promise<boolean> {
  const peer = startPython(run.python, new URL('models/peer.py', import.meta.url));
  const { reply } = await peer.request<{ versions: Record<string, string>; subjects: readonly Subject[] }>({
    family: run.family ?? null,
  });
  const { versions } = reply;
  const shown = Object.entries(versions).map((entry) => entry.join(' '));
  console.log(`parity: ${shown.join(', ')}; seed ${run.seed}`);
  const state = run.again ? [] : readState();
  const asked = reply.subjects.filter((subject) => isAsked(subject, run) && !isDone(subject, run, state));
  // Those that were compared least, or differed, come first, so that runs that are ended early reach all of them.
  const { types } = readResults();
  const subjects = asked.toSorted((a, b) => equalConfigs(types, a) - equalConfigs(types, b));
  let isEqual = true;
  let values = 0;
  for (const subject of subjects) {
    const compared = await compareSubject(peer, subject, run);
    addToState({ ...compared, version: `${subject.family} ${versions[subject.family] ?? ''}`.trim() });
    print(compared, subject.random === true);
    isEqual &&= compared.problems.length === 0;
    values += compared.values;
  }
  peer.end();
  console.log(`${subjects.length} compared, ${values} values`);
  return isEqual;
}

/** Configs of a type under which nothing differs, by the results of all machines. */
function equalConfigs(types: Results['types'], { family, name, library }: Named): number {
  const total = family === 'transformers' ? types[`${name} ${library}`] : undefined;
  return total === undefined || total.differ > 0 ? 0 : total.configs;
}

type Named = Pick<Subject, 'family' | 'name' | 'library'>;

function keyOf({ family, name, library }: Named): string {
  return `${family} ${name} ${library}`;
}

function isAsked({ family, name, library }: Subject, run: ModelsRun): boolean {
  const matches = (value: string, asked: string | undefined) => asked === undefined || value === asked;
  return (
    matches(family, run.family) &&
    matches(library, run.library) &&
    name.toLowerCase().includes((run.type ?? '').toLowerCase())
  );
}

function isDone(subject: Subject, { seed, configs }: ModelsRun, state: readonly ComparedSubject[]): boolean {
  return state.some(
    (done) =>
      keyOf(done) === keyOf(subject) &&
      done.seed === seed &&
      done.problems.length === 0 &&
      // A type that was refused may be computed now.
      (done.images > 0 || done.refusals.length === 0) &&
      (done.configs >= configs || !subject.random),
  );
}

async function compareSubject(
  peer: PythonPeer,
  subject: Subject,
  run: ModelsRun,
): Promise<Omit<ComparedSubject, 'version'>> {
  const configs = subject.random ? run.configs : 1;
  const found = { images: 0, batches: 0, values: 0, differing: 0, maxDelta: 0, refusedByBoth: 0 };
  const refusals = new Set<string>();
  const problems: string[] = [];
  const refused = await refusalOfAll(peer, subject, run.seed, configs);
  if (refused !== undefined) refusals.add(wordsOf(refused));
  for (let index = 0; index < configs && refused === undefined; index++) {
    const images = imagesOf(subject, index);
    const { reply, bytes } = await peer.request<Case>({ ...subject, seed: run.seed, index, images });
    for (const { title, ours, theirs } of await outcomesOf(reply, bytes)) {
      const where = `config ${index}, ${title}: ${JSON.stringify(reply.request)}`;
      if ('refusal' in ours) {
        if ('refusal' in theirs) found.refusedByBoth++;
        else refusals.add(wordsOf(ours.refusal));
        continue;
      }
      if ('refusal' in theirs) {
        problems.push(`ours has tensors, theirs is refused: ${theirs.refusal}; ${where}`);
        continue;
      }
      const { problem, ...counts } = compareTensors(ours.tensors, theirs.tensors, subject.tolerance ?? 0);
      add(found, counts);
      if (title.startsWith('batch')) found.batches++;
      else found.images++;
      if (problem !== undefined) problems.push(`${problem}; ${where}`);
    }
  }
  const { family, name, library, tolerance } = subject;
  const date = new Date().toISOString().slice(0, 10);
  return {
    ...{ family, name, library, seed: run.seed, configs, tolerance, date },
    ...{ ...found, refusals: [...refusals], problems },
  };
}

/** Our failure where each config is refused, which is known without an image and without the library. */
async function refusalOfAll(
  peer: PythonPeer,
  subject: Subject,
  seed: string,
  configs: number,
): Promise<Failure | undefined> {
  let refusal: Failure | undefined;
  for (let index = 0; index < configs; index++) {
    const { reply } = await peer.request<Case>({ ...subject, seed, index, images: 0 });
    const failure = refusalOf(reply.request);
    if (failure === undefined) return undefined;
    refusal ??= failure;
  }
  return refusal;
}

function add(found: { values: number; differing: number; maxDelta: number }, counts: Compared): void {
  found.values += counts.values;
  found.differing += counts.differing;
  found.maxDelta = Math.max(found.maxDelta, counts.maxDelta);
}

function wordsOf({ reason, message }: Failure): string {
  return `${reason}: ${message}`;
}

interface Pair {
  readonly title: string;
  readonly ours: Outcome;
  readonly theirs: { readonly tensors: readonly NamedTensor[] } | { readonly refusal: string };
}

/** Ours and theirs for each file, then for all of them as one batch. */
async function outcomesOf({ request, files, outcomes, batch }: Case, bytes: Buffer): Promise<Pair[]> {
  let at = 0;
  const take = (count: number) => {
    at += count;
    return bytes.subarray(at - count, at);
  };
  const contents = files.map((file) => take(file.bytes));
  const withValues = (theirs: Theirs) =>
    'refusal' in theirs
      ? theirs
      : { tensors: theirs.tensors.map((tensor) => ({ ...tensor, values: take(tensor.bytes) })) };
  const pairs: Pair[] = [];
  for (const [index, { kind, width, height }] of files.entries()) {
    const ours = await ourTensors(request, contents[index] as Buffer);
    const theirs = withValues(outcomes[index] as Theirs);
    pairs.push({ title: `${kind} ${width}×${height}`, ours, theirs });
  }
  // The batch of images of which one is refused shows nothing new, nor does a batch of one.
  const isShown = files.length > 1 && pairs.every(({ ours }) => 'tensors' in ours);
  if (batch !== null && isShown) {
    const title = `batch of ${files.map(({ kind, width, height }) => `${kind} ${width}×${height}`).join(', ')}`;
    pairs.push({ title, ours: await ourBatch(request, contents), theirs: withValues(batch) });
  }
  return pairs;
}

/** @param always - and not only what differs or is refused, as of the thousands of published configs */
function print(compared: Omit<ComparedSubject, 'version'>, always: boolean): void {
  const { family, name, library, images, batches, values, differing, maxDelta, problems } = compared;
  const { refusedByBoth, refusals } = compared;
  if (!always && problems.length + refusals.length === 0) return;
  if (images === 0 && problems.length === 0 && refusals.length > 0) {
    console.log(`${family} ${name}, ${library}: we refuse it: ${refusals[0]}`);
    return;
  }
  console.log(
    `${family} ${name}, ${library}: ${images} images, ${batches} batches, ${values} values, ${differing} differ, max ${maxDelta}; ${refusedByBoth} refused by both; ${problems.length} problems`,
  );
  for (const refusal of refusals) console.log(`  we refuse: ${refusal}`);
  for (const problem of problems.slice(0, 5)) console.log(`  ${problem}`);
}
