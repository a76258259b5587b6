import type { SkewRequest, SkewResponse } from '../../../../gen/image/v1/processor_pb.ts';
import { checkOutput, writeOutput } from '../../files.ts';
import { showProgress } from '../../job/progress.ts';
import { runCalls } from '../../job/sending/calls.ts';
import { connectTo } from '../../job/sending/connect.ts';
import type { ServiceConnection } from '../../job/sending/connection.ts';
import type { Exchange } from '../../job/sending/queue-entry.ts';
import { messageSource, transfer } from '../../job/sending/transfer.ts';
import { readSource } from '../../job/sources/source-file.ts';
import { skewRequest } from '../comparison.ts';
import type { SkewConsole } from '../run-skew.ts';
import type { CheckArguments } from '../skew-arguments.ts';
import { verdictOf } from '../tolerance.ts';
import { outcomeWords, problemWords, summaryWords } from './check-words.ts';
import { junitXml } from './junit.ts';
import { type CheckedPair, type CheckList, readCheckList } from './list.ts';
import { type CheckResult, checkJson, type Outcome, passes } from './outcome.ts';

/**
 * Compares every pair of a list, several at once, as a job sends its images: with its limits, its pace and its retries.
 *
 * @returns `skewed` if a pair is beyond its tolerance or could not be compared
 * @throws ClientError for a list that cannot be read, a service that is away for too long, a report that cannot be written
 */
export async function runCheck(
  check: CheckArguments,
  console: SkewConsole,
  signal: AbortSignal,
): Promise<'done' | 'skewed'> {
  const { report } = check;
  if (report !== undefined) await checkOutput(undefined, report.path, true);
  const list = await readCheckList(check, signal);
  const started = performance.now();
  const outcomes = await compareAll(list, check, console, signal);
  const seconds = (performance.now() - started) / 1000;
  const result: CheckResult = { list: check.list, outcomes, seconds };
  if (report !== undefined) {
    const text =
      report.form === 'junit' ? junitXml(result) : `${JSON.stringify(checkJson(result), undefined, 2)}\n`;
    await writeOutput(report.path, Buffer.from(text), true, signal);
  }
  const isPassed = outcomes.every(passes);
  if (check.json) console.print(JSON.stringify(checkJson(result), undefined, 2));
  else if (!isPassed) console.print(`${problemWords(outcomes)}\n`);
  if (!check.json && (!check.quiet || !isPassed)) console.print(summaryWords(result));
  return isPassed ? 'done' : 'skewed';
}

/** @returns the outcome of every line, in their order */
async function compareAll(
  { pairs, refused }: CheckList,
  check: CheckArguments,
  { say, screen }: SkewConsole,
  signal: AbortSignal,
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const counts = { total: pairs.length + refused.length, done: 0, failed: 0 };
  using progress = showProgress(check.quiet ? undefined : screen, say);
  progress.update(counts);
  const settle = async (outcome: Outcome): Promise<void> => {
    outcomes.push(outcome);
    counts[passes(outcome) ? 'done' : 'failed']++;
    if (check.verbose) progress.say(outcomeWords(outcome));
    progress.update(counts);
  };
  const onAway = check.quiet ? () => {} : progress.say;
  for (const { pair, failure } of refused) await settle({ pair, verdict: 'failed', failure });
  const connection = connectTo(check.service);
  try {
    await transfer(
      pairs,
      exchangeOver(connection, check.timeoutMs),
      connection,
      check.limits,
      {
        onResponse: (pair, response) => settle({ pair, verdict: verdictOf(response), response }),
        onFailure: (pair, failure) => settle({ pair, verdict: 'failed', failure }),
        onAway,
      },
      signal,
    );
  } finally {
    await connection.close();
  }
  return outcomes.toSorted((a, b) => a.pair.line - b.pair.line);
}

function exchangeOver(
  connection: ServiceConnection,
  timeoutMs: number,
): Exchange<CheckedPair, SkewRequest, SkewResponse> {
  return {
    bytesOf: ({ source, file }) => ('url' in source ? 0 : source.bytes) + file.bytes,
    requestOf: async ({ source, file, comparison }, stop) =>
      skewRequest(comparison, await messageSource(source, stop), await readSource(file.path, stop)),
    lengthOf: ({ map }) => map.length,
    send: (queue, away, stop) => runCalls(queue, connection.skew, timeoutMs, away, stop),
  };
}
