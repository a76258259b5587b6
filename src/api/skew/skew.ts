import type { SkewRequest } from '../../../gen/image/v1/processor_pb.ts';
import { type Deadline, startDeadline } from '../../deadline.ts';
import { failureFromAbort } from '../../failures.ts';
import { mapConcurrently } from '../../map-concurrently.ts';
import { skewJson } from '../../skew-json.ts';
import { overallJson, type PairOutcome, pairJson } from '../../skew-overall.ts';
import type { CallOrigin } from '../../telemetry/trace-context.ts';
import type { ApiConfig } from '../config.ts';
import type { ApiContext } from '../context.ts';
import type { HeldBytes, Share } from '../memory/held-bytes.ts';
import { httpFailure } from '../problems/problem.ts';
import { writeJson } from '../response.ts';
import type { ProcessorClient } from '../upstream/processor-client.ts';
import { originOf } from '../upstream/trace-call.ts';
import { readSkewRequests } from './skew-requests.ts';

/** Pairs of one request in work at once. With more of them one caller would have all workers of a processor. */
const pairConcurrency = 4;

/** `POST /v1/skew`: names the preprocessing that made the tensors of the form, beside the images that they were made of. */
export function findSkew(config: ApiConfig, processor: ProcessorClient, held: HeldBytes) {
  return async (c: ApiContext): Promise<Response> => {
    // Before a byte of the body is read.
    processor.checkRoom();
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const requests = await readSkewRequests(c, config, deadline.signal, share);
    const compare = comparison(processor, deadline, originOf(c), share, config);
    const [only, ...more] = requests;
    const json =
      only !== undefined && more.length === 0
        ? await compare(only, 0)
        : await comparePairs(requests, compare, deadline);
    return writeJson(c, share, json);
  };
}

type Compare = ReturnType<typeof comparison>;

/** Compares one pair. The responses of all pairs count as held together. */
function comparison(
  processor: ProcessorClient,
  deadline: Deadline,
  origin: CallOrigin,
  share: Share,
  { responseLimit }: ApiConfig,
) {
  const heldBytes = new Map<number, number>();
  return async (request: SkewRequest, index: number) => {
    const take = (bytes: number) => {
      heldBytes.set(index, bytes);
      share.expects([...heldBytes.values()].reduce((sum, one) => sum + one, 0));
    };
    return skewJson(await processor.skew(request, deadline, origin, { maxBytes: responseLimit.bytes, take }));
  };
}

/**
 * Compares several pairs. A pair that fails does not fail the others.
 *
 * @throws Failure CANCELLED; the first pair's failure if all of them fail and may succeed later
 */
async function comparePairs(requests: readonly SkewRequest[], compare: Compare, { signal }: Deadline) {
  const outcomes = new Map<number, PairOutcome>();
  const compareOne = ([index, request]: [number, SkewRequest]) =>
    compare(request, index).then(
      (report) => ({ index, outcome: { report } }),
      (error: unknown) => ({ index, outcome: { failure: httpFailure(error) } }),
    );
  for await (const { index, outcome } of mapConcurrently(
    indexed(requests),
    pairConcurrency,
    compareOne,
    signal,
  )) {
    outcomes.set(index, outcome);
  }
  const all = requests.map((_, index) => outcomes.get(index) ?? { failure: failureFromAbort(signal) });
  refuseIfAllMayComeLater(all);
  return { overall: overallJson(all), pairs: all.map(pairJson) };
}

function refuseIfAllMayComeLater(outcomes: readonly PairOutcome[]): void {
  const failures = outcomes.flatMap((outcome) => ('failure' in outcome ? [outcome.failure] : []));
  const cancelled = failures.find(({ reason }) => reason === 'CANCELLED');
  if (cancelled !== undefined) throw cancelled;
  const [first] = failures;
  const isWhole = failures.length === outcomes.length && failures.every(({ isRetryable }) => isRetryable);
  if (first !== undefined && isWhole) throw first;
}

async function* indexed(requests: readonly SkewRequest[]): AsyncGenerator<[number, SkewRequest]> {
  yield* requests.entries();
}
