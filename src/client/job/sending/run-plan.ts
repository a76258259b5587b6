import { resolve } from 'node:path';
import type { ProcessResponse } from '../../../../gen/image/v1/processor_pb.ts';
import { ClientError } from '../../client-error.ts';
import { misleads } from '../../output-format.ts';
import { checkOptions } from '../check-options.ts';
import { imageMembers, type JobFailure, type JobImage, nameOfImage, nameOfPage } from '../images.ts';
import type { JobConsole } from '../job.ts';
import type { JobArguments } from '../job-arguments.ts';
import { beginFailures } from '../journal/failures-file.ts';
import type { Journal } from '../journal/journal.ts';
import { entryOf } from '../journal/journal-entry.ts';
import { ownFailure } from '../journal/own-failures.ts';
import { failuresName } from '../journal/own-names.ts';
import { type JobSummary, skippedByKind } from '../json-lines.ts';
import { watchNumerics } from '../numerics.ts';
import type { OutputFolder } from '../output/folder.ts';
import type { Plan, PlanRules } from '../plan.ts';
import { type Counts, durationWords, type Progress, showProgress } from '../progress.ts';
import { standingOf } from '../sources/standing.ts';
import { imagesInWords, skippedWords } from '../summary.ts';
import { connectTo } from './connect.ts';
import { transferImages } from './transfer.ts';

/** The job and the open files of a run. */
export interface RunContext {
  readonly job: JobArguments;
  readonly rules: PlanRules;
  /** The output folder, absolute. */
  readonly folder: string;
  readonly output: OutputFolder;
  readonly journal: Journal;
}

/**
 * Runs a plan.
 *
 * @returns `someFailed` if images failed, or files were skipped and the job is strict
 * @throws ClientError whose message includes the number of images done
 */
export async function runPlan(
  plan: Plan,
  context: RunContext,
  { print, say, screen }: JobConsole,
  signal: AbortSignal,
): Promise<'done' | 'someFailed'> {
  const { job } = context;
  const counts = { total: plan.images.length + plan.refused.length, done: 0, failed: 0 };
  const started = performance.now();
  using progress = showProgress(job.quiet ? undefined : screen, say);
  const note = job.quiet ? () => {} : (line: string) => progress.say(line);
  const notToDo = [
    ...(plan.done.length === 0 ? [] : [`, ${plan.done.length} done already`]),
    ...(plan.skipped.length === 0 ? [] : [`, ${skippedWords(plan.skipped)}`]),
  ].join('');
  note(`${imagesInWords(counts.total)} to do${notToDo}; ${job.options.words}`);
  progress.update(counts);
  try {
    const misleading = await sendAll(plan, context, counts, progress, note, signal);
    if (misleading > 0) note(`warning: ${misleading} outputs have another type than their names`);
  } catch (error) {
    throw withCounts(error, counts, signal);
  }
  const seconds = (performance.now() - started) / 1000;
  const rate = counts.done > 0 ? ` (${(counts.done / seconds).toFixed(1)}/s)` : '';
  note(
    `${counts.done} done in ${durationWords(Math.round(seconds))}${rate}, ${counts.failed} failed${notToDo}`,
  );
  if (job.json) print(JSON.stringify(summaryOf(plan, context, counts, seconds)));
  return endOf(plan, context, counts, progress);
}

function summaryOf(
  { done, skipped }: Plan,
  { folder }: RunContext,
  counts: Counts,
  seconds: number,
): JobSummary {
  return {
    output: folder,
    ...counts,
    done_already: done.length,
    skipped: skippedByKind(skipped),
    seconds: Math.round(seconds * 1000) / 1000,
    failures: counts.failed === 0 ? null : resolve(folder, failuresName),
  };
}

/** Reports failed and skipped images after the last image. */
function endOf(
  { skipped }: Plan,
  { job, folder }: RunContext,
  { failed }: Counts,
  progress: Progress,
): 'done' | 'someFailed' {
  if (failed > 0) {
    progress.say(`${imagesInWords(failed)} failed; the reasons are in ${resolve(folder, failuresName)}`);
  }
  const isStrict = job.strict && skipped.length > 0;
  if (isStrict) progress.say(`${skippedWords(skipped)}, which --strict forbids; --dry-run lists them`);
  return failed > 0 || isStrict ? 'someFailed' : 'done';
}

/**
 * Sends the images and writes their outputs; keeps `counts` up to date.
 *
 * @returns how many outputs have another type than their names
 */
async function sendAll(
  plan: Plan,
  context: RunContext,
  counts: { total: number; done: number; failed: number },
  progress: Progress,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<number> {
  const { job, folder, journal } = context;
  const { request } = job.options;
  const { images, refused, done } = plan;
  let misleading = 0;
  const ahead = new Set([...images.map(nameOfImage), ...refused.map(nameOfFailed)]);
  const connection = connectTo(job.service);
  try {
    const isNeeded = images.length > 0;
    const version = isNeeded
      ? await checkOptions(connection, request, job.limits.patienceMs, note, signal)
      : undefined;
    const numerics = watchNumerics(isNeeded ? done : [], version);
    const failures = await beginFailures(folder, (image) => ahead.has(image));
    const fail = async (failure: JobFailure): Promise<void> => {
      await failures.add(failure);
      const name = nameOfFailed(failure);
      if (job.verbose) progress.say(`${name}: ${failure.reason}: ${failure.message}`);
      ahead.delete(name);
      counts.failed++;
      progress.update(counts);
    };
    const write = async (image: JobImage, response: ProcessResponse): Promise<void> => {
      numerics.check(response.provenance?.numericsVersion ?? '');
      const failure = await writeOutput(image, response, plan, context);
      if (failure !== undefined) return await fail(failure);
      if (misleads(image.output, response.contentType)) misleading++;
      ahead.delete(nameOfImage(image));
      if (job.verbose) progress.say(`${nameOfImage(image)} -> ${image.output}`);
      counts.done++;
      progress.update(counts);
    };
    const events = {
      onResponse: write,
      onFailure: (_: JobImage, failure: JobFailure) => fail(failure),
      onAway: note,
    };
    await journal.open();
    await runAll(
      async () => {
        for (const failure of refused) await fail(failure);
        await transferImages(images, request, job.password, connection, job.limits, events, signal);
      },
      () => journal.close(),
      () => failures.finish((image) => ahead.has(image)),
    );
  } finally {
    await connection.close();
  }
  return misleading;
}

/** Runs all steps, even after a failure, and throws the first error. */
async function runAll(...steps: readonly (() => Promise<void>)[]): Promise<void> {
  const errors: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => errors.push(error));
  if (errors.length > 0) throw errors[0];
}

function nameOfFailed({ source, page }: JobFailure): string {
  return nameOfPage(source, page);
}

/**
 * Writes an output and records it in the journal.
 *
 * @returns the failure if only this output cannot be written
 * @throws ClientError if no output can be written any more
 */
async function writeOutput(
  image: JobImage,
  response: ProcessResponse,
  { sources }: Plan,
  { output, journal, folder, rules }: RunContext,
): Promise<JobFailure | undefined> {
  const note = (mtimeMs: number) => journal.add(entryOf(image, rules.identity, response, mtimeMs));
  const mayReplace = async () => {
    const { kind } = await standingOf(image, folder, journal, sources, rules.identity);
    return kind === 'own' || (kind === 'foreign' && rules.overwrite);
  };
  try {
    await output.write(image.output, response.content, note, mayReplace);
    return undefined;
  } catch (error) {
    if (!(error instanceof ClientError) || error.end !== 'refused') throw error;
    const reason = error.reason === 'OUTPUT_EXISTS' ? 'OUTPUT_EXISTS' : 'OUTPUT_UNWRITABLE';
    return {
      ...imageMembers(image),
      ...ownFailure(reason, error.message, { output: image.output }),
    };
  }
}

/** An error that ends a job early, with the number of images done. */
function withCounts(error: unknown, { total, done }: Counts, signal: AbortSignal): unknown {
  const state = `${done} of ${total} are done, and the same command continues from there.`;
  if (signal.aborted) return new ClientError('interrupted', 'INTERRUPTED', state);
  if (!(error instanceof ClientError) || ['usage', 'mixed'].includes(error.end)) return error;
  return new ClientError(error.end, error.reason, `${error.message} ${state}`, { cause: error });
}
