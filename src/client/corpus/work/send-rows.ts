import { create, fromJson } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  SourceOptionsSchema,
} from '../../../../gen/image/v1/processor_pb.ts';
import { ClientError } from '../../client-error.ts';
import type { JobFailure } from '../../job/images.ts';
import { runCalls } from '../../job/sending/calls.ts';
import type { ServiceConnection } from '../../job/sending/connection.ts';
import type { Exchange, QueueLimits } from '../../job/sending/queue-entry.ts';
import { messageSource, transfer } from '../../job/sending/transfer.ts';
import type { Manifest } from '../manifest.ts';
import type { CorpusRow } from '../row.ts';
import type { AttemptLog } from './attempt-log.ts';
import { type Outcome, rowFailure, sampleOf } from './outcome.ts';
import type { Spill } from './spill.ts';

/** Reasons that are about the service and not about a row: they never become a row's outcome. */
const serviceReasons: readonly string[] = [
  'OVERLOADED',
  'RATE_LIMITED',
  'DRAINING',
  'STREAMS_OVER_LIMIT',
  'UNAUTHENTICATED',
  'CANCELLED',
];

interface CorpusImage {
  readonly source: { readonly url: string };
  readonly row: CorpusRow;
}

/**
 * Sends the rows of a shard and collects what each became.
 *
 * @param onOutcome - receives each outcome when it is known
 * @throws ClientError if the service is away or full for too long; NUMERICS_CHANGED if it has other pixels than were
 *   planned; as transfer
 */
export async function sendRows(
  rows: readonly CorpusRow[],
  manifest: Manifest,
  connection: ServiceConnection,
  limits: QueueLimits,
  spill: Spill,
  log: AttemptLog,
  onOutcome: (outcome: Outcome) => void,
  onAway: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const request = fromJson(ProcessRequestSchema, manifest.request);
  const drawn = request.sourceOptions ?? create(SourceOptionsSchema);
  const pageOptions = (page: number) => create(SourceOptionsSchema, { ...drawn, page });
  const images: CorpusImage[] = [];
  for (const row of rows) {
    if (row.problem === undefined) images.push({ source: { url: row.url }, row });
    else onOutcome({ failure: { row, reason: row.problem.reason, retryable: false, details: {} } });
  }
  const exchange: Exchange<CorpusImage, ProcessRequest, ProcessResponse> = {
    bytesOf: () => 0,
    requestOf: async ({ source, row }, stop) =>
      create(ProcessRequestSchema, {
        ...request,
        ...(row.page !== undefined && { sourceOptions: pageOptions(row.page) }),
        source: await messageSource(source, stop),
      }),
    lengthOf: ({ content }) => content.length,
    // Not a stream: a processor has few images of one in work, and most of a row's time is its origin's.
    send: (queue, away, stop) => runCalls(queue, connection.process, limits.patienceMs, away, stop),
  };
  const store = async ({ row }: CorpusImage, response: ProcessResponse): Promise<void> => {
    checkNumerics(manifest, response.provenance?.numericsVersion ?? '');
    const outcome = await sampleOf(row, response, manifest, spill);
    log.add(row, 'failure' in outcome ? 'failed' : 'stored', timesOf(response));
    onOutcome(outcome);
  };
  const fail = async ({ row }: CorpusImage, failure: JobFailure): Promise<void> => {
    const { reason, message } = failure;
    if (serviceReasons.includes(reason)) throw new ClientError('unavailable', reason, message);
    log.add(row, 'failed', { reason, message });
    onOutcome({ failure: rowFailure(row, failure) });
  };
  const events = {
    onResponse: store,
    onFailure: fail,
    onRetry: ({ row }: CorpusImage, { reason, message }: Pick<JobFailure, 'reason' | 'message'>) =>
      log.add(row, 'retried', { reason, message }),
    onAway,
  };
  if (images.length > 0) await transfer(images, exchange, connection, limits, events, signal);
}

function checkNumerics({ numericsVersion }: Manifest, actual: string): void {
  if (actual === numericsVersion) return;
  throw new ClientError(
    'mixed',
    'NUMERICS_CHANGED',
    `The corpus was planned for numerics version ${numericsVersion}, and the service's is ${actual}; call a service of the planned version, or plan again into another --out.`,
  );
}

function timesOf({ cache, stages }: ProcessResponse): object {
  const times = stages.map(({ name, durationMs }) => [name, Math.round(durationMs * 100) / 100]);
  return { cache, stages_ms: Object.fromEntries(times) };
}
