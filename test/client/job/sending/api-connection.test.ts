import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { errorToJsonBytes } from '@connectrpc/connect/protocol-connect';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProcessRequestSchema, ProcessResponseSchema } from '../../../../gen/image/v1/processor_pb.ts';
import type { JobImage } from '../../../../src/client/job/images.ts';
import { connectToApi } from '../../../../src/client/job/sending/api-connection.ts';
import { transferImages } from '../../../../src/client/job/sending/transfer.ts';
import { Failure } from '../../../../src/failures.ts';
import { toConnectError } from '../../../../src/grpc/rpc-failures.ts';

/*
 * Jobs through an image-api, or a proxy in front of it, whose responses each test scripts. The real one is in
 * end-to-end/.
 */

interface Call {
  /** The first byte of the image. */
  readonly image: number;
  /** How often it has been sent, counting this call. */
  readonly times: number;
  readonly authorization: string | undefined;
}

let respond: (response: ServerResponse, call: Call) => void;
let calls: Call[];
let ready: number[];

const server = createServer(async (request, response) => {
  if (request.url === '/prefix/readyz') {
    response.writeHead(ready.shift() ?? 200).end();
    return;
  }
  expect(request.url).toBe('/prefix/image.v1.ProcessorService/Process');
  const body = await buffer(request).catch(() => undefined);
  if (body === undefined) return;
  const { source } = fromBinary(ProcessRequestSchema, body);
  const image = source.case === 'content' ? (source.value[0] ?? -1) : -1;
  const times = calls.filter((call) => call.image === image).length + 1;
  const call = { image, times, authorization: request.headers.authorization };
  calls.push(call);
  respond(response, call);
});

let url: URL;
let folder: string;
beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/prefix/`);
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-api-'));
  calls = [];
  ready = [];
});
afterEach(() => rm(folder, { recursive: true }));

function succeed(response: ServerResponse, { image }: Call): void {
  const message = create(ProcessResponseSchema, { content: Uint8Array.of(image) });
  response
    .writeHead(200, { 'content-type': 'application/proto' })
    .end(toBinary(ProcessResponseSchema, message));
}

/** Responds as image-api does. */
function fail(response: ServerResponse, status: number, failure: Failure): void {
  const error = toConnectError(failure);
  response.writeHead(status, { 'content-type': 'application/json' }).end(errorToJsonBytes(error, undefined));
}

/** Responds as a proxy does. */
function page(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'text/html', ...headers }).end('<h1>No</h1>');
}

/** Sends images of one byte each, which is their index, and returns the outcome of each. */
async function transfer(count: number, { patienceMs = 10_000, apiKey = 'the-key' } = {}) {
  const images = await Promise.all(
    Array.from({ length: count }, async (_, index): Promise<JobImage> => {
      const path = join(folder, `${index}.jpg`);
      await writeFile(path, Uint8Array.of(index));
      return { source: { path, bytes: 1, mtimeMs: 0, id: String(index) }, output: `${index}.npy` };
    }),
  );
  const outcomes: Record<number, string> = {};
  const away: string[] = [];
  const connection = connectToApi(url, apiKey);
  const limits = { inFlight: 4, bytes: 1_000_000, tries: 3, patienceMs, perHost: 4, hostPatienceMs: 60_000 };
  const note = (image: JobImage, outcome: string) => {
    const index = images.indexOf(image);
    expect(outcomes[index]).toBeUndefined();
    outcomes[index] = outcome;
  };
  const events = {
    onResponse: async (image: JobImage, { content }: { content: Uint8Array }) =>
      note(image, `response ${content[0]}`),
    onFailure: async (image: JobImage, failure: { reason: string; message: string }) =>
      note(image, failure.reason),
    onAway: (why: string) => void away.push(why),
  };
  const request = create(ProcessRequestSchema);
  const error = await transferImages(
    images,
    request,
    undefined,
    connection,
    limits,
    events,
    new AbortController().signal,
  )
    .then(() => undefined)
    .catch((thrown: unknown) => thrown)
    .finally(connection.close);
  return { outcomes, away, error };
}

const all = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, index) => [index, `response ${index}`]));

describe(connectToApi, () => {
  it('sends each image in a call of its own, with the key, and no more at once than allowed', async () => {
    let most = 0;
    const waiting: (() => void)[] = [];
    respond = (response, call) => {
      waiting.push(() => succeed(response, call));
      most = Math.max(most, waiting.length);
      // The last two are responded to as they come.
      if (waiting.length === 4 || calls.length > 8) for (const one of waiting.splice(0)) one();
    };
    expect(await transfer(10)).toEqual({ outcomes: all(10), away: [], error: undefined });
    expect(most).toBe(4);
    expect(new Set(calls.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer the-key']));
  });

  it('sends an image again that failed for a time, and not one that failed for good', async () => {
    respond = (response, call) => {
      if (call.image === 1) fail(response, 422, new Failure('IMAGE_CORRUPT', 'No.'));
      else if (call.times === 1) fail(response, 504, new Failure('DEADLINE_EXCEEDED', 'Slow.'));
      else succeed(response, call);
    };
    const { outcomes } = await transfer(2);
    expect(outcomes).toEqual({ 0: 'response 0', 1: 'IMAGE_CORRUPT' });
    expect(calls.map(({ image }) => image).toSorted()).toEqual([0, 0, 1]);
  });

  it.each([
    [
      'image-api',
      (response: ServerResponse) =>
        fail(response, 429, new Failure('RATE_LIMITED', 'Wait.', { retry_after_seconds: 1 })),
    ],
    ['a proxy', (response: ServerResponse) => page(response, 429, { 'retry-after': '1' })],
    ['a full proxy', (response: ServerResponse) => page(response, 503, { 'retry-after': '1' })],
  ])('fails no image for a rate limit of %s, however often it is reached', async (_, limit) => {
    // More often than an image's tries.
    respond = (response, call) => (call.times <= 3 ? limit(response) : succeed(response, call));
    expect(await transfer(2)).toEqual({ outcomes: all(2), away: [], error: undefined });
  });

  it('waits until image-api is ready again, when a call was lost, without using up the tries', async () => {
    respond = (response, call) => {
      if (call.image === 0 && call.times === 1) response.destroy();
      else if (call.image === 1 && call.times === 1) page(response, 502);
      else succeed(response, call);
    };
    ready = [200, 503, 502, 503];
    const { outcomes, away } = await transfer(3);
    expect(outcomes).toEqual(all(3));
    expect(away).toHaveLength(1);
    expect(ready).toEqual([]);
  });

  it('does not count a processor that drains as a try', async () => {
    respond = (response, call) =>
      call.times <= 4 ? fail(response, 503, new Failure('DRAINING', 'Bye.')) : succeed(response, call);
    expect(await transfer(1)).toMatchObject({ outcomes: all(1), error: undefined });
  });

  it('fails an image that loses every connection, after its tries, and the others come through', async () => {
    respond = (response, call) => {
      if (call.image === 1) response.destroy();
      else succeed(response, call);
    };
    const { outcomes } = await transfer(3);
    expect(outcomes).toEqual({ ...all(3), 1: 'PROCESSOR_UNAVAILABLE' });
    expect(calls.filter(({ image }) => image === 1)).toHaveLength(3);
  });

  it('fails only the image that a proxy finds too long', async () => {
    respond = (response, call) => (call.image === 0 ? page(response, 413) : succeed(response, call));
    expect(await transfer(2)).toMatchObject({
      outcomes: { 0: 'SOURCE_BYTES_OVER_LIMIT', 1: 'response 1' },
      error: undefined,
    });
  });

  it.each([
    [
      'a key that image-api refuses',
      (response: ServerResponse) => fail(response, 401, new Failure('UNAUTHENTICATED', 'Not known here.')),
      { end: 'refused', reason: 'UNAUTHENTICATED' },
      "Not known here. Ask image-api's operators for a key that is in use.",
    ],
    [
      'a proxy that refuses the caller',
      (response: ServerResponse) => page(response, 403),
      { end: 'refused', reason: 'HTTP_403' },
      'A proxy in front of image-api at ',
    ],
    [
      'a server that is not image-api',
      (response: ServerResponse) => page(response, 404),
      { end: 'unexpected', reason: 'HTTP_404' },
      ' responded with 404 and text/html, unlike image-api; --api sets the address of image-api.',
    ],
    [
      'a page of a proxy with status 200',
      (response: ServerResponse) => page(response, 200),
      { end: 'unexpected', reason: 'ANSWER_UNKNOWN' },
      'unlike image-api',
    ],
    [
      'a redirect',
      (response: ServerResponse) => page(response, 302, { location: 'http://127.0.0.1:1/' }),
      { end: 'unexpected', reason: 'HTTP_302' },
      'unlike image-api',
    ],
  ])('ends at once, and fails no image, for %s', async (_, refuse, error, words) => {
    respond = (response, call) => (call.image === 0 ? succeed(response, call) : refuse(response));
    const result = await transfer(20);
    expect(result.error).toMatchObject({ ...error, message: expect.stringContaining(words) });
    expect(Object.keys(result.outcomes).filter((index) => index !== '0')).toEqual([]);
    expect(calls.length).toBeLessThan(12);
  });

  it('gives up when image-api is away for longer than the patience', async () => {
    ready = Array(100).fill(503);
    respond = succeed;
    const { error, outcomes } = await transfer(1, { patienceMs: 300 });
    expect(error).toMatchObject({
      end: 'unavailable',
      reason: 'SERVICE_UNREACHABLE',
      message: `image-api at ${url.host} cannot be reached (it reports that it does not serve); --api sets its address, --patience the longest wait.`,
    });
    expect(outcomes).toEqual({});
    expect(calls).toEqual([]);
  });

  it('treats an image-api that is silent for longer than the patience as lost', async () => {
    respond = (response, call) => void (call.times > 1 && succeed(response, call));
    const { outcomes, away } = await transfer(1, { patienceMs: 300 });
    expect(outcomes).toEqual(all(1));
    expect(away).toEqual([expect.stringMatching(/: no response within 0\.3 s$/)]);
  });
});
