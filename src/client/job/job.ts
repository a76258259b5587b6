import { resolve } from 'node:path';
import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import { grpcCode } from '../../failures.ts';
import { ClientError } from '../client-error.ts';
import { misleads } from '../output-format.ts';
import { connectToProcessor } from './connection.ts';
import { beginFailures, failuresName } from './failures-file.ts';
import { type JobFailure, type JobImage, nameOfSource } from './images.ts';
import type { JobArguments } from './job-arguments.ts';
import { type Journal, readJournal } from './journal.ts';
import { takeOutputFolder } from './output-folder.ts';
import { nameOutputs } from './output-names.ts';
import { type Counts, durationWords, type Screen, showProgress } from './progress.ts';
import { findImages } from './sources.ts';
import { transferImages } from './transfer.ts';

/** What a job is to do. */
interface Plan {
  readonly images: readonly JobImage[];
  readonly skipped: readonly JobImage[];
  readonly refused: readonly JobFailure[];
  readonly journal: Journal;
}

/** Where a job is heard: results on standard output, words on standard error. */
export interface JobConsole {
  /** A line of the result. */
  print(line: string): void;
  /** A line for a person. */
  say(line: string): void;
  readonly screen: Screen;
}

/**
 * Runs a job to its end.
 *
 * @returns how it ended: `someFailed` if images failed, whose reasons are in failures.jsonl then
 * @throws ClientError when nothing can be done, or nothing more
 */
export async function runJob(
  job: JobArguments,
  console: JobConsole,
  signal: AbortSignal,
): Promise<'done' | 'someFailed'> {
  const folder = resolve(job.output);
  const found = await findImages(job.sources, folder, job.list, signal);
  const named = nameOutputs(found.images, job.asked.format);
  if (job.dryRun) {
    const plan = await planJob(named, found.refused, folder, job, signal);
    printPlan(plan, job, console);
    return 'done';
  }
  await using output = await takeOutputFolder(folder);
  const plan = await planJob(named, found.refused, folder, job, signal);
  return await transfer(plan, folder, output, job, console, signal);
}

/** Parts what is to be done from what is done already. */
async function planJob(
  named: readonly JobImage[],
  refused: readonly JobFailure[],
  folder: string,
  { asked, force }: JobArguments,
  signal: AbortSignal,
): Promise<Plan> {
  const journal = await readJournal(folder, asked.request);
  const images: JobImage[] = [];
  const skipped: JobImage[] = [];
  for (const image of named) {
    signal.throwIfAborted();
    const isDone = !force && (await journal.isDone(image));
    (isDone ? skipped : images).push(image);
  }
  return { images, skipped, refused, journal };
}

function printPlan({ images, skipped, refused }: Plan, job: JobArguments, { print }: JobConsole): void {
  for (const image of images) print(`do      ${nameOfSource(image.source)} -> ${image.output}`);
  for (const image of skipped) print(`skip    ${nameOfSource(image.source)} -> ${image.output}`);
  for (const { source, reason, message } of refused) print(`refuse  ${source}: ${reason}: ${message}`);
  const files = images.flatMap(({ source }) => ('url' in source ? [] : [source.bytes]));
  const urls = images.length - files.length;
  const size = bytesInWords(files.reduce((sum, bytes) => sum + bytes, 0));
  print(
    `${images.length} to do (${files.length} files of ${size}, ${urls} URLs), ${skipped.length} done already, ` +
      `${refused.length} refused; into ${job.output}: ${job.asked.words}`,
  );
}

async function transfer(
  { images, skipped, refused, journal }: Plan,
  folder: string,
  output: Awaited<ReturnType<typeof takeOutputFolder>>,
  job: JobArguments,
  { say, screen }: JobConsole,
  signal: AbortSignal,
): Promise<'done' | 'someFailed'> {
  const ahead = new Set([
    ...images.map(({ source }) => nameOfSource(source)),
    ...refused.map(({ source }) => source),
  ]);
  const failures = await beginFailures(folder, (source) => ahead.has(source));
  await journal.open();
  const counts = { total: images.length + refused.length, done: 0, failed: 0 };
  let misled = 0;
  const started = performance.now();
  using progress = showProgress(job.quiet ? undefined : screen, say);
  const note = job.quiet ? () => {} : (line: string) => progress.say(line);
  const fail = async (failure: JobFailure): Promise<void> => {
    await failures.add(failure);
    ahead.delete(failure.source);
    counts.failed++;
    progress.update(counts);
  };

  async function write(image: JobImage, { content, contentType }: ProcessResponse): Promise<void> {
    try {
      await output.write(image.output, content);
    } catch (error) {
      if (!(error instanceof ClientError) || error.end !== 'refused') throw error;
      const { reason, message } = error;
      return await fail({
        source: nameOfSource(image.source),
        reason,
        message,
        metadata: {},
        code: grpcCode.INTERNAL,
      });
    }
    await journal.add(image, content.length);
    if (misleads(image.output, contentType)) misled++;
    ahead.delete(nameOfSource(image.source));
    counts.done++;
    progress.update(counts);
  }

  const already = skipped.length === 0 ? '' : `, ${skipped.length} done already`;
  note(`${imagesInWords(counts.total)} to do${already}; ${job.asked.words}`);
  progress.update(counts);
  const connection = connectToProcessor(job.processor);
  try {
    for (const failure of refused) await fail(failure);
    const events = {
      onResponse: write,
      onFailure: (_image: JobImage, failure: JobFailure) => fail(failure),
      onAway: (why: string) => note(`waiting for the processor at ${job.processor.host}: ${why}`),
    };
    await transferImages(images, job.asked.request, connection, job.limits, events, signal);
  } catch (error) {
    throw withCounts(error, counts, signal);
  } finally {
    connection.close();
    await journal.close();
    await failures.finish((source) => ahead.has(source));
  }
  if (misled > 0) note(`warning: ${misled} outputs hold another type than their names say`);
  const seconds = (performance.now() - started) / 1000;
  const rate = counts.done > 0 ? ` (${(counts.done / seconds).toFixed(1)}/s)` : '';
  note(
    `${counts.done} done in ${durationWords(Math.round(seconds))}${rate}, ${counts.failed} failed${already}`,
  );
  if (counts.failed === 0) return 'done';
  progress.say(`${imagesInWords(counts.failed)} failed; the reasons are in ${resolve(folder, failuresName)}`);
  return 'someFailed';
}

/** What ends a job before its time says how far it came. */
function withCounts(error: unknown, { total, done }: Counts, signal: AbortSignal): unknown {
  const state = `${done} of ${total} are done, and the same command goes on from there.`;
  if (signal.aborted) return new ClientError('interrupted', 'INTERRUPTED', state);
  if (!(error instanceof ClientError)) return error;
  return new ClientError(error.end, error.reason, `${error.message} ${state}`, { cause: error });
}

function imagesInWords(count: number): string {
  return count === 1 ? '1 image' : `${count} images`;
}

function bytesInWords(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const power = Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 1024 ** power).toFixed(1)} ${['', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
}
