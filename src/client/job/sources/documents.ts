import { create } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import { ProcessRequestSchema } from '../../../../gen/image/v1/processor_pb.ts';
import { failureFromConnectError } from '../../../grpc/rpc-failures.ts';
import { type Pages, pagesIn } from '../../../options/pages.ts';
import { ClientError } from '../../client-error.ts';
import { type FoundImage, type JobFailure, nameOfSource } from '../images.ts';
import type { Entry } from '../journal/journal-entry.ts';
import { inputFailure, ownFailure } from '../journal/own-failures.ts';
import { hostAndPath } from '../lists/lists.ts';
import type { ServiceConnection } from '../sending/connection.ts';
import type { QueueLimits } from '../sending/queue-entry.ts';
import { secondsIn } from '../sending/retry.ts';
import { messageSource } from '../sending/transfer.ts';
import { type Absence, reachService, watchAbsence } from './absence.ts';
import { hasImageEnding } from './recognise.ts';

/** Documents whose pages are counted at the same time. */
const countsAtOnce = 4;

/** How the documents of a job become images. */
export interface DocumentRules {
  /** Unset: all pages. */
  readonly pages: Pages | undefined;
  readonly password: string | undefined;
  /** Whether URLs that do not end like an image may be documents. Each of them is downloaded once more. */
  readonly asksUrls: boolean;
}

/** Whether an image may be a document, by its ending or its first bytes. */
function mayBeDocument({ source, format }: FoundImage, { asksUrls }: DocumentRules): boolean {
  if (!('url' in source)) return format === 'pdf' || /\.pdf$/i.test(source.path);
  const path = hostAndPath(source.url)?.path ?? '';
  return /\.pdf$/i.test(path) || (asksUrls && !hasImageEnding(path));
}

/**
 * Replaces each document of a job by its pages: the service counts them without drawing. Counts of an earlier run hold as
 * long as the file is the same. Pages of a range that the document does not have are left out; a document without any of
 * them fails.
 *
 * @param entries - of the journal
 * @throws ClientError if the service cannot be reached, or refuses the caller
 */
export async function pagesOfDocuments(
  images: readonly FoundImage[],
  rules: DocumentRules,
  entries: readonly Entry[],
  connect: () => ServiceConnection,
  limits: QueueLimits,
  onAway: (line: string) => void,
  signal: AbortSignal,
): Promise<{ readonly images: readonly FoundImage[]; readonly refused: readonly JobFailure[] }> {
  const documents = images.filter((image) => mayBeDocument(image, rules));
  if (documents.length === 0) return { images, refused: [] };
  const known = new Map(entries.map((entry) => [keyOfFile(entry.source, entry), entry.pages]));
  const counts = new Map<FoundImage, number | JobFailure>();
  const connection = connect();
  const away = watchAbsence(connection, limits.patienceMs, onAway);
  const waiting = documents.values();
  async function work(): Promise<void> {
    for (const image of waiting) {
      const { source } = image;
      const before = 'url' in source ? undefined : known.get(keyOfFile(source.path, source));
      counts.set(image, before ?? (await countPages(image, rules, connection, limits, away, signal)));
    }
  }
  try {
    await Promise.all(Array.from({ length: countsAtOnce }, work));
  } finally {
    await connection.close();
  }
  const refused: JobFailure[] = [];
  const found = images.flatMap((image) => {
    const count = counts.get(image);
    if (count === undefined || count === 0) return [image];
    const pages = typeof count === 'number' ? pagesOf(image, count, rules.pages) : count;
    if (!('reason' in pages)) return pages;
    refused.push(pages);
    return [];
  });
  return { images: found, refused };
}

type Count = { readonly sourceBytes?: number; readonly bytes?: number; readonly mtimeMs?: number };

function keyOfFile(path: string, { sourceBytes, bytes = sourceBytes, mtimeMs }: Count): string {
  return `${path}\0${bytes}\0${mtimeMs}`;
}

function pagesOf(image: FoundImage, of: number, pages: Pages | undefined): FoundImage[] | JobFailure {
  const ranges = typeof pages === 'number' ? [{ first: pages, last: pages }] : pages;
  const numbers = [...pagesIn(ranges ?? [{ first: 1, last: of }], of)];
  if (numbers.length > 0) return numbers.map((number) => ({ ...image, page: { number, of } }));
  const message = `The document has ${of === 1 ? '1 page' : `${of} pages`}, and none of those that --page names.`;
  return {
    source: nameOfSource(image.source),
    ...ownFailure('PAGE_OUT_OF_RANGE', message, { limit: String(of) }),
  };
}

/** The number of pages; 0 for a picture. A failure counts for the whole document. */
async function countPages(
  image: FoundImage,
  { password }: DocumentRules,
  connection: ServiceConnection,
  limits: QueueLimits,
  away: Absence,
  signal: AbortSignal,
): Promise<number | JobFailure> {
  const failed = (failure: Omit<JobFailure, 'source'>) => ({
    source: nameOfSource(image.source),
    ...failure,
  });
  // The limit of pixels is for pages as they are drawn.
  let sourceOptions: { dpi: number; password?: string } = { dpi: 1 };
  for (let tries = 1; ; tries++) {
    try {
      await reachService(connection, limits.patienceMs, away, signal);
      const source = await messageSource(image.source, signal);
      const request = create(ProcessRequestSchema, { source, sourceOptions });
      const described = await connection.describe(request, limits.patienceMs, signal);
      away.end();
      return described.source?.pages ?? 0;
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof ClientError) throw error;
      if (!(error instanceof ConnectError)) return failed(inputFailure(error));
      const failure = failureFromConnectError(error);
      if (failure?.metadata.option === 'source_options.dpi') return 0;
      if (failure?.reason === 'DOCUMENT_PASSWORD_REQUIRED' && password !== undefined) {
        sourceOptions = { ...sourceOptions, password };
      } else if (failure !== undefined && (!failure.isRetryable || tries >= limits.tries)) {
        const { reason, message, metadata, isRetryable: retryable } = failure;
        return failed({ reason, message, metadata, code: error.code, retryable });
      } else {
        await away.report(failure?.message ?? error.rawMessage, signal, failure && secondsIn(failure) * 1000);
      }
    }
  }
}
