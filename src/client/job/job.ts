import { resolve } from 'node:path';
import { type JobFailure, nameOfPage } from './images.ts';
import type { JobArguments } from './job-arguments.ts';
import { type Journal, readJournal } from './journal/journal.ts';
import { identityOf } from './journal/journal-entry.ts';
import { type PlannedLine, plannedLines } from './json-lines.ts';
import { takeOutputFolder } from './output/folder.ts';
import { checkPlan, type Plan, type PlanRules, planJob } from './plan.ts';
import type { Screen } from './progress.ts';
import { connectTo } from './sending/connect.ts';
import { runPlan } from './sending/run-plan.ts';
import { pagesOfDocuments } from './sources/documents.ts';
import { type Found, findImages } from './sources/sources.ts';
import { bytesInWords, skippedWords } from './summary.ts';

/** Where a job prints: results on standard output, messages on standard error. */
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
 * @returns `someFailed` if images failed; failures.jsonl lists the reasons
 * @throws ClientError that ends the job early
 */
export async function runJob(
  job: JobArguments,
  console: JobConsole,
  signal: AbortSignal,
): Promise<'done' | 'someFailed'> {
  const folder = resolve(job.output);
  const found = await findImages(job.sources, folder, job.list, signal);
  const { request, format } = job.options;
  const rules: PlanRules = {
    format,
    identity: identityOf(request),
    force: job.force,
    overwrite: job.overwrite,
  };
  if (job.dryRun) {
    const journal = await readJournal(folder);
    const pages = await withPages(found, job, journal, console, signal);
    const plan = await planJob(pages, folder, journal, rules, signal);
    printPlan(plan, job, console);
    checkPlan(plan, rules);
    return 'done';
  }
  await using output = await takeOutputFolder(folder);
  const journal = await readJournal(folder);
  const pages = await withPages(found, job, journal, console, signal);
  const plan = await planJob(pages, folder, journal, rules, signal);
  checkPlan(plan, rules);
  return await runPlan(plan, { job, rules, folder, output, journal }, console, signal);
}

/** The images that were found, with the pages of documents in their places. */
async function withPages(
  found: Found,
  { options, password, service, limits, quiet }: JobArguments,
  journal: Journal,
  { say }: JobConsole,
  signal: AbortSignal,
): Promise<Found> {
  const { pages, request } = options;
  const asksUrls = pages !== undefined || request.sourceOptions !== undefined || password !== undefined;
  const { images, refused } = await pagesOfDocuments(
    found.images,
    { pages, password, asksUrls },
    journal.latest(),
    () => connectTo(service),
    limits,
    quiet ? () => {} : say,
    signal,
  );
  return { ...found, images, refused: [...found.refused, ...refused] };
}

function printPlan(plan: Plan, job: JobArguments, { print }: JobConsole): void {
  for (const line of plannedLines(plan)) print(job.json ? JSON.stringify(line) : wordsOf(line));
  if (job.json) return;
  const { images, done, refused, skipped } = plan;
  const files = images.flatMap(({ source }) => ('url' in source ? [] : [source.bytes]));
  const urls = images.length - files.length;
  const size = bytesInWords(files.reduce((sum, bytes) => sum + bytes, 0));
  const skippedPart = skipped.length === 0 ? '' : `, ${skippedWords(skipped)}`;
  print(
    `${images.length} to do (${files.length} files of ${size}, ${urls} URLs), ${done.length} done already, ` +
      `${refused.length} refused${skippedPart}; into ${job.output}: ${job.options.words}`,
  );
}

function wordsOf(line: PlannedLine): string {
  const verb = line.action.padEnd(7);
  if (line.action === 'skip') return `${verb} ${line.source}: ${line.kind}`;
  return line.action === 'refuse'
    ? `${verb} ${ofFailure(line)}`
    : `${verb} ${nameOfPage(line.source, line.page)} -> ${line.output}`;
}

function ofFailure({ source, page, reason, message, metadata }: JobFailure): string {
  const line = metadata.line === undefined ? '' : ` (line ${metadata.line} of ${metadata.list})`;
  return `${nameOfPage(source, page)}${line}: ${reason}: ${message}`;
}
