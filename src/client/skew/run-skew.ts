import { ConnectError } from '@connectrpc/connect';
import type { SkewResponse } from '../../../gen/image/v1/processor_pb.ts';
import { failureKinds } from '../../failures.ts';
import { failureFromConnectError } from '../../grpc/rpc-failures.ts';
import { skewJson } from '../../skew-json.ts';
import { overallJson } from '../../skew-overall.ts';
import { ClientError } from '../client-error.ts';
import { checkOutput, readInput, writeOutput } from '../files.ts';
import { isUrl } from '../job/lists/lists.ts';
import type { Screen } from '../job/progress.ts';
import { connectTo } from '../job/sending/connect.ts';
import type { ServiceConnection } from '../job/sending/connection.ts';
import { endOf } from '../send.ts';
import { skewRequest } from './comparison.ts';
import { comparisonWords } from './comparison-words.ts';
import type { CheckArguments, NamedPair, PairsArguments } from './skew-arguments.ts';
import { verdictOf } from './tolerance.ts';

/** Where a comparison prints: results on standard output, messages on standard error. */
export interface SkewConsole {
  print(line: string): void;
  say(line: string): void;
  readonly screen: Screen;
}

/**
 * Compares the pairs of the command line, or checks those of a list.
 *
 * @returns `skewed` if a pair is neither equal nor within the tolerance
 * @throws ClientError
 */
export async function runSkew(
  skew: PairsArguments | CheckArguments,
  console: SkewConsole,
  signal: AbortSignal,
): Promise<'done' | 'skewed'> {
  if ('pairs' in skew) return await comparePairs(skew, console, signal);
  const { runCheck } = await import('./check/run-check.ts');
  return await runCheck(skew, console, signal);
}

async function comparePairs(
  skew: PairsArguments,
  { print, say }: SkewConsole,
  signal: AbortSignal,
): Promise<'done' | 'skewed'> {
  const { pairs, map, service } = skew;
  if (map !== undefined) await checkOutput(undefined, map, true);
  const connection = connectTo(service);
  const reports: ReturnType<typeof skewJson>[] = [];
  let passes = true;
  try {
    for (const pair of pairs) {
      const response = await compare(pair, skew, connection, signal);
      passes &&= verdictOf(response) !== 'different';
      if (skew.json) reports.push(skewJson({ ...response, map: noMap }));
      else if (!skew.quiet) print(textOf(pair, response, skew));
      if (map === undefined) continue;
      if (response.map.length > 0) await writeOutput(map, response.map, true, signal);
      else say(`warning: ${map} is not written: there is no map of tensors that differ in size`);
    }
  } finally {
    await connection.close();
  }
  if (skew.json) print(JSON.stringify(resultOf(reports), undefined, 2));
  return passes ? 'done' : 'skewed';
}

const noMap = new Uint8Array();

/** The JSON that `POST /v1/skew` responds to one pair, or to several. */
function resultOf(reports: readonly ReturnType<typeof skewJson>[]): object | undefined {
  if (reports.length === 1) return reports[0];
  const outcomes = reports.map((report) => ({ report }));
  return { overall: overallJson(outcomes), pairs: reports };
}

function textOf(pair: NamedPair, response: SkewResponse, skew: PairsArguments): string {
  const words = comparisonWords(response, { ...skew, tensor: pair.tensor });
  if (skew.pairs.length === 1) return words;
  const isLast = pair === skew.pairs.at(-1);
  return `${pair.image}, ${pair.tensor}:\n${words}${isLast ? '' : '\n'}`;
}

async function compare(
  { image, tensor, comparison }: NamedPair,
  { timeoutMs, map }: PairsArguments,
  connection: ServiceConnection,
  signal: AbortSignal,
): Promise<SkewResponse> {
  const source = isUrl(image)
    ? ({ case: 'url', value: image } as const)
    : ({ case: 'content', value: await readInput(image, signal) } as const);
  const content = await readInput(tensor, signal);
  try {
    return await connection.skew(
      skewRequest(comparison, source, content, map !== undefined),
      timeoutMs,
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ClientError ? error : refusal(error, connection);
  }
}

/** The error of a comparison that has no response. */
function refusal(cause: unknown, { name, place }: ServiceConnection): ClientError {
  const error = ConnectError.from(cause);
  const failure = failureFromConnectError(error);
  if (failure !== undefined) {
    const { reason, message } = failure;
    return new ClientError(endOf(failureKinds[reason].status, reason), reason, message, { cause });
  }
  const [reason, flag] =
    name === 'image-api' ? ['SERVICE_UNREACHABLE', '--api'] : ['PROCESSOR_UNAVAILABLE', '--processor'];
  return new ClientError(
    'unavailable',
    reason,
    `${name} ${place} cannot be reached (${error.rawMessage}); ${flag} sets its address, --timeout the longest wait.`,
    { cause },
  );
}
