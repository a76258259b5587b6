import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readBody } from '../../src/api/request-body.ts';
import {
  type Problem,
  type RawResponse,
  type ScriptedProcessor,
  send,
  startScriptedProcessor,
  startTestApi,
  type TestApi,
} from '../support/api.ts';

const maxBytes = 2_000_000;

let processor: ScriptedProcessor;
let api: TestApi;
let url: string;

beforeAll(async () => {
  processor = await startScriptedProcessor();
  api = await startTestApi({ PROCESSOR_URL: processor.url, MAX_UPLOAD_BYTES: String(maxBytes) });
  url = `${api.url}/v1/images`;
});
beforeEach(() => processor.reset());
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await processor[Symbol.asyncDispose]();
});

function problemIn(response: RawResponse): Problem {
  return JSON.parse(response.body.toString()) as Problem;
}

function* megabytes(count: number): Iterable<Buffer> {
  for (let index = 0; index < count; index++) yield Buffer.alloc(1_000_000, index + 1);
}

function contentOfRequest(): Uint8Array {
  return processor.request().source.value as Uint8Array;
}

describe(readBody, () => {
  it('joins chunks of an undeclared length', async () => {
    const response = await send(url, { method: 'POST', chunks: ['ab', 'cd', 'ef'] });
    expect(response.status).toBe(200);
    expect(Buffer.from(contentOfRequest()).toString()).toBe('abcdef');
  });

  it('joins megabytes of an undeclared length', async () => {
    await send(url, {
      method: 'POST',
      chunks: [...megabytes(1), Buffer.alloc(500_000, 2), Buffer.alloc(5, 3)],
    });
    const content = contentOfRequest();
    expect(content.length).toBe(1_500_005);
    expect([0, 999_999, 1_000_000, 1_499_999, 1_500_000, 1_500_004].map((at) => content[at])).toEqual([
      1, 1, 2, 2, 3, 3,
    ]);
  });

  it('joins chunks of a declared length', async () => {
    await send(url, { method: 'POST', headers: { 'Content-Length': 2_000_000 }, chunks: megabytes(2) });
    const content = contentOfRequest();
    expect(content.length).toBe(2_000_000);
    expect([content[0], content[999_999], content[1_000_000], content[1_999_999]]).toEqual([1, 1, 2, 2]);
  });

  it('refuses a declared length over the limit, and the client gets the response although it continues to send', async () => {
    const response = await send(url, {
      method: 'POST',
      headers: { 'Content-Length': 5_000_000 },
      chunks: megabytes(5),
    });
    expect(response.status).toBe(413);
    expect(problemIn(response)).toMatchObject({
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      metadata: { limit: '2000000', actual: '5000000' },
    });
    expect(processor.requests).toEqual([]);
  });

  it('refuses an undeclared length over the limit while it reads', async () => {
    const response = await send(url, { method: 'POST', chunks: megabytes(5) });
    expect(response.status).toBe(413);
    const { reason, metadata } = problemIn(response);
    expect(reason).toBe('SOURCE_BYTES_OVER_LIMIT');
    expect(metadata.limit).toBe('2000000');
    expect(Number(metadata.actual)).toBeGreaterThan(2_000_000);
    expect(processor.requests).toEqual([]);
  });

  it('asks for the body if the client waits for 100 Continue', async () => {
    const response = await send(url, {
      method: 'POST',
      headers: { 'Content-Length': 1_000_000, Expect: '100-continue' },
      chunks: megabytes(1),
    });
    expect(response).toMatchObject({ status: 200, gotContinue: true });
    expect(contentOfRequest().length).toBe(1_000_000);
  });

  it.each([
    ['is too long', { 'Content-Length': 5_000_000 }, '', 413],
    ['has an unknown type', { 'Content-Length': 1_000_000, 'Content-Type': 'text/plain' }, '', 415],
    ['comes with a bad option', { 'Content-Length': 1_000_000 }, '?width=0', 400],
  ])('does not ask for a body that %s', async (_, headers, query, status) => {
    const response = await send(url + query, {
      method: 'POST',
      headers: { ...headers, Expect: '100-continue' },
      chunks: megabytes(1),
    });
    expect(response).toMatchObject({ status, gotContinue: false });
  });

  it('records a caller that leaves during its body, and sends nothing to the processor', async () => {
    const socket = connect(api.port, '127.0.0.1');
    socket.write(
      'POST /v1/images HTTP/1.1\r\nHost: x\r\nX-Request-Id: half\r\nContent-Length: 1000\r\n\r\nabc',
      () => socket.destroy(),
    );
    expect(await api.accessLine('half')).toMatchObject({ status: 499, reason: 'CANCELLED' });
    expect(processor.requests).toEqual([]);
  });

  it('refuses a body that does not arrive before the deadline', async () => {
    await using hasty = await startTestApi({ PROCESSOR_URL: processor.url, REQUEST_TIMEOUT_MS: '200' });
    const socket = connect(hasty.port, '127.0.0.1');
    socket.write('POST /v1/images HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc');
    const [response] = (await once(socket, 'data')) as [Buffer];
    expect(response.toString()).toMatch(/^HTTP\/1\.1 504 .*"reason":"DEADLINE_EXCEEDED".*"limit":"200"/s);
    socket.destroy();
    expect(processor.requests).toEqual([]);
  });
});
