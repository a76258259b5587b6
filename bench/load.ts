import { hash } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { performance } from 'node:perf_hooks';
import { Agent, type Dispatcher, request } from 'undici';
import { inParallel } from './measure.ts';
import { cpuMsOfTree } from './process-tree.ts';

/*
 * Work for a service or a rival, and what it cost.
 */

/** The cost of `count` pieces of work. */
export interface Cost {
  /** A piece: user + sys of the processes that did the work. */
  readonly cpuMs: number;
  /** Pieces a second. */
  readonly perSecond: number;
  /**
   * Pieces a second of a core that was there for the work: what the workers used and what stood idle. The time
   * that others took (he who sends, on the same cores, above all) counts neither for nor against it.
   */
  readonly perCoreSecond: number;
  /** Wall time of each piece. */
  readonly times: readonly number[];
}

/**
 * Measures processes, with all that they have started, while work is done.
 *
 * @param work - gives the wall times of the pieces
 */
export async function costOf(pids: readonly number[], work: () => Promise<readonly number[]>): Promise<Cost> {
  const before = { cpu: cpuMsOfTree(pids), idle: idleMs(), at: performance.now() };
  const times = await work();
  const wallMs = performance.now() - before.at;
  const idle = idleMs() - before.idle;
  const cpu = cpuMsOfTree(pids) - before.cpu;
  // A container may have fewer cores than the machine whose idle time is counted.
  const sharesMachine = cpus().length !== availableParallelism();
  const coreMs = sharesMachine ? wallMs * availableParallelism() : cpu + idle;
  return {
    cpuMs: cpu / times.length,
    perSecond: (1000 * times.length) / wallMs,
    perCoreSecond: (1000 * times.length) / coreMs,
    times,
  };
}

/** Of all cores since the machine began. */
function idleMs(): number {
  return cpus().reduce((sum, { times }) => sum + times.idle, 0);
}

/** Digits behind a file, which no decoder looks at and every cache does. */
const markLength = 16;

/** A file as another one for every cache, and the same for every decoder. */
export function withMark(file: Uint8Array, mark: string): Uint8Array {
  return Buffer.concat([file, Buffer.from(mark.padStart(markLength, '0'), 'latin1')]);
}

/** A body that is sent repeatedly. Its mark is written into it in place: nothing is copied for a request. */
export interface Upload {
  readonly body: Buffer;
  readonly contentType: string;
  mark(serial: number): void;
}

export type UploadKind = 'body' | 'multipart';

/** A file as a body of its own, or as browsers and curl send it: in the field `image` of a form. */
export function uploadOf(file: Uint8Array, kind: UploadKind): Upload {
  const boundary = '------------------------d74496d66958873e';
  const [head, tail, contentType] =
    kind === 'body'
      ? ['', '', 'application/octet-stream']
      : [
          `--${boundary}\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"\r\nContent-Type: application/octet-stream\r\n\r\n`,
          `\r\n--${boundary}--\r\n`,
          `multipart/form-data; boundary=${boundary}`,
        ];
  const body = Buffer.concat([Buffer.from(head), withMark(file, ''), Buffer.from(tail)]);
  const markAt = body.length - tail.length - markLength;
  return {
    body,
    contentType,
    mark: (serial) => void body.write(String(serial).padStart(markLength, '0'), markAt, 'latin1'),
  };
}

let serial = 0;

/** A number that no request has had. */
export function nextSerial(): number {
  return ++serial;
}

/** One response. */
export interface Answer {
  readonly content: Buffer;
  readonly headers: Dispatcher.ResponseData['headers'];
}

/** Asks over HTTP, over connections that stay open. */
export function createSender(connections: number) {
  const dispatcher = new Agent({ connections });
  const ask = async (url: string, upload?: Upload): Promise<Answer> => {
    const { statusCode, headers, body } = await request(url, {
      dispatcher,
      ...(upload && {
        method: 'POST',
        body: upload.body,
        headers: { 'content-type': upload.contentType },
      }),
    });
    const content = Buffer.from(await body.arrayBuffer());
    if (statusCode !== 200) throw new HttpError(statusCode, `${statusCode} ${content.subarray(0, 1000)}`);
    return { content, headers };
  };
  return { ask, close: () => dispatcher.close() };
}

export class HttpError extends Error {
  override readonly name = 'HttpError';
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

export type Sender = ReturnType<typeof createSender>;

/** Whether the response came from the processor's cache, by Cache-Status. @throws if it isn't as expected */
export function checkCache({ headers }: Answer, expected: 'hit' | 'miss'): void {
  const state = /;\s*hit\b/.test(String(headers['cache-status'])) ? 'hit' : 'miss';
  if (state !== expected) throw new Error(`a cache ${state} (${headers['cache-status']}), not a ${expected}`);
}

export function sha256(content: Uint8Array): string {
  return hash('sha256', content);
}

/** How uploads are sent and judged. */
export interface UploadLoad {
  readonly pids: readonly number[];
  readonly sender: Sender;
  /** Of the source's index. */
  readonly url: (source: number) => string;
  readonly sources: readonly Uint8Array[];
  readonly kind: UploadKind;
  readonly count: number;
  readonly inFlight: number;
  /** Every request's file is another one. */
  readonly isMarked: boolean;
  /** @throws if the response to the source is wrong */
  check(answer: Answer, source: number): void;
}

/** Sends the sources in turn; every response is checked. */
export async function costOfUploads(load: UploadLoad): Promise<Cost> {
  const { sources, kind, count, inFlight, sender } = load;
  const lanes = Array.from({ length: inFlight }, () => sources.map((file) => uploadOf(file, kind)));
  return costOf(load.pids, () =>
    inParallel(count, inFlight, async (index, lane) => {
      const source = index % sources.length;
      const upload = lanes[lane]?.[source] as Upload;
      if (load.isMarked) upload.mark(nextSerial());
      load.check(await sender.ask(load.url(source), upload), source);
    }),
  );
}
