import { hash } from 'node:crypto';
import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import { unknownCaller } from '../../caller.ts';
import { Failure } from '../../failures.ts';
import { isObjectUrl, objectUrl } from '../../object-storage/object-address.ts';
import { openObjectStorage } from '../../object-storage/object-storage.ts';
import { createSingleFlight } from '../single-flight.ts';
import type { Download, Downloader, DownloaderOptions, Validators } from './download.ts';
import type { DownloadPlaces } from './download-places.ts';
import { createObjectSources, type ObjectSources } from './object-source.ts';
import { hrefWithoutFragment } from './origin-url.ts';
import { createRequestHeaders, defaultUserAgent } from './request-headers.ts';
import { bytesOverLimit } from './response-image.ts';
import { createUrlRecords, optOutOfChain, type RecordStore, type UrlRecord } from './url-records.ts';

export interface SourceReaderOptions extends DownloaderOptions {
  /** Bounds the downloads. */
  readonly places: DownloadPlaces;
  /** Stores what past downloads of URLs returned. */
  readonly records: RecordStore;
  /** Objects in S3. Default: none may be a source. */
  readonly objects?: ObjectSources | undefined;
  /** The clock, in milliseconds since 1970. Default: the system's. */
  readonly now?: (() => number) | undefined;
}

/** An image's bytes, or what is known of an image whose bytes are not needed. */
export type ReadSource<Known> =
  | { readonly sha256: string; readonly content: Uint8Array }
  | { readonly sha256: string; readonly known: Known };

/** The source of a request, and how to read it. */
export type WantedSource = ProcessRequest['source'] & {
  /** Whether a URL's origin is asked although its image is fresh, as `Cache-Control: no-cache` requests. */
  readonly mustRevalidate?: boolean | undefined;
  /** Name of the caller whose places a download uses: see caller.ts. */
  readonly caller?: string | undefined;
  /** Whether a URL's image is refused if its origin opts out of machine learning. */
  readonly honourOptOuts?: boolean | undefined;
};

export interface SourceReader {
  /**
   * Reads a request's image. `content` may be shared with other callers: it is neither changed nor transferred.
   *
   * @param findKnown - looks up what is known of the request by the source's SHA-256, in hex. It is called for sources
   *   given only by their SHA-256, and for URLs with a record. Where it finds something, a fresh URL is not
   *   downloaded, and a stale one only if its origin says that it changed.
   * @throws Failure SOURCE_MISSING, SOURCE_EMPTY, SOURCE_UNKNOWN, SOURCE_OPTED_OUT, SOURCE_BYTES_OVER_LIMIT, URL_INVALID,
   *   URL_SCHEME_UNSUPPORTED, BUCKET_FORBIDDEN and the others of a download; OVERLOADED when no place for a download is free
   */
  read<Known>(
    source: WantedSource,
    findKnown: (sha256: string) => Promise<Known | undefined>,
    signal: AbortSignal,
  ): Promise<ReadSource<Known>>;
  /** Closes all connections to origins; running downloads fail. */
  close(): Promise<void>;
}

interface Image {
  readonly sha256: string;
  readonly content: Uint8Array;
}

/** The result of a download. */
interface Downloaded {
  /** Undefined when the origin responds to validators with 304. */
  readonly image: Image | undefined;
  /** As in UrlRecord. */
  readonly optOut: string | undefined;
}

/** Longest URL, in characters: the request line that common servers accept. */
const maxUrlLength = 8192;

/** Lower-case hex. */
const sha256Form = /^[0-9a-f]{64}$/;

/** A URL of an image, and how it is read. */
interface Remote {
  /** The URL as its records are kept. */
  readonly href: string;
  /** Host, or bucket, whose places a download uses. */
  readonly place: string;
  download(validators: Validators | undefined, signal: AbortSignal): Promise<Download>;
}

function checkUrlLength(text: string): void {
  if (text.length > maxUrlLength) {
    throw new Failure(
      'URL_INVALID',
      `The URL has ${text.length} characters; at most ${maxUrlLength} are allowed.`,
      { limit: maxUrlLength, actual: text.length },
    );
  }
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (url === null) {
    throw new Failure('URL_INVALID', 'The URL cannot be parsed. Give an absolute http, https or s3 URL.');
  }
  return url;
}

function optedOut(host: string, directive: string): Failure {
  return new Failure(
    'SOURCE_OPTED_OUT',
    `${host} does not allow the image to be used for machine learning: it sends "${directive}". Leave the image out.`,
    { host, directive },
  );
}

/** Reads sources: bytes as they are, URLs by guarded downloads, each URL once at a time. */
export function createSourceReader(options: SourceReaderOptions): SourceReader {
  const {
    maxBytes,
    places,
    objects = createObjectSources(openObjectStorage({}), [], options),
    now = Date.now,
    requestHeaders = createRequestHeaders(defaultUserAgent),
  } = options;
  let downloader: Promise<Downloader> | undefined;
  /** Loads the HTTP client at the first URL. */
  const loadDownloader = () =>
    (downloader ??= import('./download.ts').then(({ createDownloader }) =>
      createDownloader({ ...options, requestHeaders }),
    ));
  const records = createUrlRecords(options.records, now, requestHeaders);
  const flights = createSingleFlight<Downloaded>();

  function readContent(content: Uint8Array): Image {
    if (content.byteLength === 0) {
      throw new Failure('SOURCE_EMPTY', 'The image has no bytes. Send the encoded image.');
    }
    if (content.byteLength > maxBytes) throw bytesOverLimit(maxBytes, content.byteLength);
    return { sha256: hash('sha256', content), content };
  }

  function remoteOf(text: string): Remote {
    checkUrlLength(text);
    if (isObjectUrl(text)) {
      const address = objects.addressOf(text);
      return {
        href: objectUrl(address),
        place: `s3://${address.bucket}`,
        download: (validators, signal) => objects.read(address, validators, signal),
      };
    }
    const url = parseUrl(text);
    return {
      href: hrefWithoutFragment(url),
      place: url.host,
      download: async (validators, signal) => (await loadDownloader()).download(url, validators, signal),
    };
  }

  /** Downloads a URL. */
  async function downloadOnce(
    { href, place, download }: Remote,
    record: UrlRecord | undefined,
    validators: Validators | undefined,
    caller: string,
    signal: AbortSignal,
  ): Promise<Downloaded> {
    // Callers share a 304 only if they know the same image.
    const key = `${validators === undefined ? 'any' : record?.sha256} ${requestHeaders.fingerprint()} ${href}`;
    const { value } = await flights.run(key, signal, async (shared) => {
      // Callers that join this flight use the place of the caller that started it.
      const { responses, content } = await places.run(
        () => download(validators, shared),
        { caller, origin: place },
        shared,
      );
      const image = content && { sha256: hash('sha256', content), content };
      const sha256 = image?.sha256 ?? record?.sha256;
      if (sha256 !== undefined) records.keep(href, responses, sha256, record);
      return { image, optOut: optOutOfChain(responses, record) };
    });
    return value;
  }

  async function readUrl<Known>(
    text: string,
    findKnown: (sha256: string) => Promise<Known | undefined>,
    { mustRevalidate = false, caller = unknownCaller, honourOptOuts = false }: WantedSource,
    signal: AbortSignal,
  ): Promise<ReadSource<Known>> {
    const remote = remoteOf(text);
    const found = await records.find(remote.href);
    const record = honourOptOuts && found?.optOut === undefined ? undefined : found;
    const check = (optOut: string | undefined) => {
      if (honourOptOuts && optOut) throw optedOut(remote.place, optOut);
    };
    const known = record && (await findKnown(record.sha256));
    // Otherwise the image itself is needed, whether it changed or not.
    if (record === undefined || known === undefined) {
      const { image, optOut } = await downloadOnce(remote, record, undefined, caller, signal);
      check(optOut);
      if (image === undefined) throw new Error('304 to an unconditional request');
      return image;
    }
    const unchanged = { sha256: record.sha256, known };
    if (record.isFresh && !mustRevalidate) {
      check(record.optOut);
      return unchanged;
    }
    const { image, optOut } = await downloadOnce(remote, record, record.validators, caller, signal);
    check(optOut);
    return image ?? unchanged;
  }

  async function readKnown<Known>(
    sha256: string,
    findKnown: (sha256: string) => Promise<Known | undefined>,
  ): Promise<ReadSource<Known>> {
    // A malformed digest cannot match, so the lookup is skipped.
    const known = sha256Form.test(sha256) ? await findKnown(sha256) : undefined;
    if (known !== undefined) return { sha256, known };
    throw new Failure(
      'SOURCE_UNKNOWN',
      'No response to this request is known for an image of this SHA-256. Send its bytes.',
    );
  }

  return {
    async read(source, findKnown, signal) {
      switch (source.case) {
        case 'content':
          return readContent(source.value);
        case 'url':
          return readUrl(source.value, findKnown, source, signal);
        case 'sha256':
          return readKnown(source.value, findKnown);
        case undefined:
          throw new Failure('SOURCE_MISSING', 'The request has no image. Send its bytes or a URL.');
      }
    },
    close: async () => await (await downloader)?.close(),
  };
}
