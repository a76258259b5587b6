import { hash } from 'node:crypto';
import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import { unknownCaller } from '../../caller.ts';
import { Failure } from '../../failures.ts';
import { createSingleFlight } from '../single-flight.ts';
import { bytesOverLimit, createDownloader, type DownloaderOptions, type Validators } from './download.ts';
import type { DownloadPlaces } from './download-places.ts';
import { hrefWithoutFragment } from './origin-url.ts';
import { createRequestHeaders, defaultUserAgent } from './request-headers.ts';
import { createUrlRecords, type RecordStore, type UrlRecord } from './url-records.ts';

export interface SourceReaderOptions extends DownloaderOptions {
  /** Bounds the downloads. */
  readonly places: DownloadPlaces;
  /** Where it is kept what URLs led to. */
  readonly records: RecordStore;
  /** The clock, in milliseconds since 1970. Default: the system's. */
  readonly now?: (() => number) | undefined;
}

/** An image's bytes, or what is known already of an image that wasn't downloaded again. */
export type ReadSource<Answer> =
  | { readonly sha256: string; readonly content: Uint8Array }
  | { readonly sha256: string; readonly answer: Answer };

/** The source of a request, and how it is wanted. */
export type WantedSource = ProcessRequest['source'] & {
  /** Whether the origin is asked even where a URL's image is still fresh, as `Cache-Control: no-cache` says. */
  readonly mustRevalidate?: boolean | undefined;
  /** Name of the caller that a download is counted for: see caller.ts. */
  readonly caller?: string | undefined;
};

export interface SourceReader {
  /**
   * Reads a request's image. `content` may belong to other callers too: it is neither changed nor moved.
   *
   * @param findAnswer - looks for the request's answer by the source's SHA-256, in hex. It is asked for
   *   sources that are known by that alone, and for URLs whose image is known from before; with an answer a
   *   fresh URL needs no download, and a stale one only the origin's word that nothing has changed.
   * @throws Failure SOURCE_MISSING, SOURCE_EMPTY, SOURCE_UNKNOWN, SOURCE_BYTES_OVER_LIMIT, URL_INVALID,
   *   URL_SCHEME_UNSUPPORTED and the others of a download; OVERLOADED where no place for one is free
   */
  read<Answer>(
    source: WantedSource,
    findAnswer: (sha256: string) => Promise<Answer | undefined>,
    signal: AbortSignal,
  ): Promise<ReadSource<Answer>>;
  /** Closes all connections to origins; downloads under way fail. */
  close(): Promise<void>;
}

interface Image {
  readonly sha256: string;
  readonly content: Uint8Array;
}

/** Longest URL that is read, in characters: what common servers take in a request line. */
const maxUrlLength = 8192;

/** As hex. */
const sha256Form = /^[0-9a-f]{64}$/;

function parseUrl(text: string): URL {
  if (text.length > maxUrlLength) {
    throw new Failure(
      'URL_INVALID',
      `The URL has ${text.length} characters; at most ${maxUrlLength} are taken.`,
      { limit: maxUrlLength, actual: text.length },
    );
  }
  const url = URL.parse(text);
  if (url === null) {
    throw new Failure('URL_INVALID', 'The URL cannot be parsed. Give an absolute http or https URL.');
  }
  return url;
}

/** Reads sources: bytes as they are, URLs by guarded downloads, each URL once at a time. */
export function createSourceReader(options: SourceReaderOptions): SourceReader {
  const {
    maxBytes,
    places,
    now = Date.now,
    requestHeaders = createRequestHeaders(defaultUserAgent),
  } = options;
  const downloader = createDownloader({ ...options, requestHeaders });
  const records = createUrlRecords(options.records, now, requestHeaders);
  const flights = createSingleFlight<Image | undefined>();

  function readContent(content: Uint8Array): Image {
    if (content.byteLength === 0) {
      throw new Failure('SOURCE_EMPTY', 'The image has no bytes. Send the encoded image.');
    }
    if (content.byteLength > maxBytes) throw bytesOverLimit(maxBytes, content.byteLength);
    return { sha256: hash('sha256', content), content };
  }

  /** Downloads a URL, or undefined when an origin that was given `validators` says that nothing has changed. */
  async function downloadOnce(
    url: URL,
    record: UrlRecord | undefined,
    validators: Validators | undefined,
    caller: string,
    signal: AbortSignal,
  ): Promise<Image | undefined> {
    const href = hrefWithoutFragment(url);
    // Only who knows the same image may share the answer "not modified".
    const key = `${validators === undefined ? 'any' : record?.sha256} ${requestHeaders.fingerprint()} ${href}`;
    const { value } = await flights.run(key, signal, async (shared) => {
      const download = () => downloader.download(url, validators, shared);
      // Who joins this flight waits in the place of the caller that began it.
      const { answers, content } = await places.run(download, { caller, origin: url.host }, shared);
      const image = content && { sha256: hash('sha256', content), content };
      const sha256 = image?.sha256 ?? record?.sha256;
      if (sha256 !== undefined) records.keep(href, answers, sha256, record);
      return image;
    });
    return value;
  }

  async function readUrl<Answer>(
    text: string,
    findAnswer: (sha256: string) => Promise<Answer | undefined>,
    { mustRevalidate = false, caller = unknownCaller }: WantedSource,
    signal: AbortSignal,
  ): Promise<ReadSource<Answer>> {
    const url = parseUrl(text);
    const record = await records.find(hrefWithoutFragment(url));
    const answer = record && (await findAnswer(record.sha256));
    // Without an answer the image itself is needed, whether it has changed or not.
    if (record === undefined || answer === undefined) {
      const image = await downloadOnce(url, record, undefined, caller, signal);
      if (image === undefined) throw new Error('not modified, without having been asked');
      return image;
    }
    const known = { sha256: record.sha256, answer };
    if (record.isFresh && !mustRevalidate) return known;
    return (await downloadOnce(url, record, record.validators, caller, signal)) ?? known;
  }

  async function findKnown<Answer>(
    sha256: string,
    findAnswer: (sha256: string) => Promise<Answer | undefined>,
  ): Promise<ReadSource<Answer>> {
    // What isn't one is the name of nothing.
    const answer = sha256Form.test(sha256) ? await findAnswer(sha256) : undefined;
    if (answer !== undefined) return { sha256, answer };
    throw new Failure(
      'SOURCE_UNKNOWN',
      'No answer to this is known for an image of this SHA-256. Send its bytes.',
    );
  }

  return {
    async read(source, findAnswer, signal) {
      switch (source.case) {
        case 'content':
          return readContent(source.value);
        case 'url':
          return readUrl(source.value, findAnswer, source, signal);
        case 'sha256':
          return findKnown(source.value, findAnswer);
        case undefined:
          throw new Failure('SOURCE_MISSING', 'The request has no image. Send its bytes or a URL.');
      }
    },
    close: () => downloader.close(),
  };
}
