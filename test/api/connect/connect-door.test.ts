import { Code, ConnectError, createClient, type Transport } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { describe, expect, it } from 'vitest';
import { ImageFormat, ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { openConnectDoor } from '../../../src/api/connect/connect-door.ts';
import { Failure } from '../../../src/failures.ts';
import { failureFromConnectError, toConnectError } from '../../../src/grpc/rpc-failures.ts';
import { plainContent, plainResponse, send, useTestApi } from '../../support/api.ts';

const { processor, api } = await useTestApi({ MAX_UPLOAD_BYTES: '1000000', REQUEST_TIMEOUT_MS: '20000' });

const content = new Uint8Array([1, 2, 3]);
const source = { case: 'content', value: content } as const;

async function errorOf(call: Promise<unknown>): Promise<ConnectError> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ConnectError);
  return error as ConnectError;
}

describe(openConnectDoor, () => {
  describe.each([
    ['Connect', () => createConnectTransport({ baseUrl: api.url, httpVersion: '1.1' })],
    [
      'Connect with JSON',
      () => createConnectTransport({ baseUrl: api.url, httpVersion: '1.1', useBinaryFormat: false }),
    ],
    ['gRPC-Web', () => createGrpcWebTransport({ baseUrl: api.url, httpVersion: '1.1' })],
  ] as [string, () => Transport][])('in %s', (_, createTransport) => {
    const client = () => createClient(ProcessorService, createTransport());

    it('passes a call on unchanged, without defaults of its own', async () => {
      const response = await client().process({
        source,
        output: { case: 'image', value: { format: ImageFormat.PNG } },
      });
      expect(response.content).toEqual(plainContent);
      expect(response.key).toBe('c0ffee');
      const request = processor.request();
      expect(new Uint8Array(request.source.value as Uint8Array)).toEqual(content);
      expect(request.resize).toBeUndefined();
      expect(request.output).toMatchObject({ case: 'image', value: { format: ImageFormat.PNG } });
    });

    it('keeps the reason of a failure', async () => {
      processor.script.process = () => {
        throw toConnectError(new Failure('IMAGE_CORRUPT', 'The JPEG ends too early.', { actual: 12 }));
      };
      const error = await errorOf(client().process({ source }));
      expect(error.code).toBe(Code.InvalidArgument);
      expect(failureFromConnectError(error)).toMatchObject({
        reason: 'IMAGE_CORRUPT',
        message: 'The JPEG ends too early.',
        metadata: { actual: '12' },
      });
    });

    it('states when a browser may try again', async () => {
      processor.script.process = () => {
        throw toConnectError(new Failure('OVERLOADED', 'The queue is full.', { retry_after_seconds: 7 }));
      };
      const error = await errorOf(client().process({ source }));
      expect(error.metadata.get('retry-after')).toBe('7');
    });

    it('refuses a message over the limit before it reads it', async () => {
      const error = await errorOf(
        client().process({ source: { case: 'content', value: new Uint8Array(2_000_000) } }),
      );
      expect(error.code).toBe(Code.ResourceExhausted);
      expect(failureFromConnectError(error)).toMatchObject({
        reason: 'SOURCE_BYTES_OVER_LIMIT',
        metadata: { limit: '1000000' },
      });
      expect(processor.requests).toEqual([]);
    });

    it("passes the caller's deadline on, and ours where it gives none or a longer one", async () => {
      const seen: (number | undefined)[] = [];
      processor.script.process = (_request, context) => {
        seen.push(context.timeoutMs());
        return plainResponse;
      };
      await client().process({ source }, { timeoutMs: 5000 });
      await client().process({ source });
      await client().process({ source }, { timeoutMs: 500_000 });
      const [own, ours, capped] = seen;
      expect(own).toBeLessThanOrEqual(5000);
      expect(ours).toBeGreaterThan(5000);
      expect(ours).toBeLessThanOrEqual(20_000);
      expect(capped).toBeGreaterThan(5000);
      expect(capped).toBeLessThanOrEqual(20_000);
    });

    it('cancels the call when the caller leaves', async () => {
      const leave = new AbortController();
      const cancelled = new Promise<unknown>((resolve) => {
        processor.script.process = (_request, { signal }) =>
          new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              resolve(signal.reason);
              reject(signal.reason);
            });
            leave.abort();
          });
      });
      await errorOf(client().process({ source }, { signal: leave.signal }));
      expect(await cancelled).toMatchObject({ code: Code.Canceled });
    });

    it('accepts no SHA-256 as a source: callers must have the image', async () => {
      await client().process({ source: { case: 'sha256', value: 'a'.repeat(64) } });
      expect(processor.request().source).toEqual({ case: 'sha256', value: '' });
    });

    it('reveals no more of an unexpected error than the API does', async () => {
      processor.script.process = () => {
        throw new ConnectError('/home/somebody/secret', Code.Internal);
      };
      const error = await errorOf(client().process({ source }));
      expect(failureFromConnectError(error)?.reason).toBe('INTERNAL');
      expect(error.message).not.toContain('secret');
    });
  });

  it('drops the headers of the caller', async () => {
    const headers = new Promise<Headers>((resolve) => {
      processor.script.process = (_request, { requestHeader }) => {
        resolve(requestHeader);
        return plainResponse;
      };
    });
    const client = createClient(
      ProcessorService,
      createConnectTransport({ baseUrl: api.url, httpVersion: '1.1' }),
    );
    await client.process({ source }, { headers: { Authorization: 'Bearer x', Cookie: 'a=b' } });
    expect((await headers).has('authorization')).toBe(false);
    expect((await headers).has('cookie')).toBe(false);
  });

  it('writes the reason of a failure into the access log', async () => {
    processor.script.process = () => {
      throw toConnectError(new Failure('IMAGE_CORRUPT', 'The JPEG ends too early.'));
    };
    const client = createClient(
      ProcessorService,
      createConnectTransport({ baseUrl: api.url, httpVersion: '1.1' }),
    );
    await errorOf(client.process({ source }, { headers: { 'X-Request-Id': 'through-the-door' } }));
    expect(await api.accessLine('through-the-door')).toMatchObject({
      path: '/image.v1.ProcessorService/Process',
      status: 400,
      reason: 'IMAGE_CORRUPT',
    });
  });

  it('carries a stream with one response for each image', async () => {
    // Node's Connect client sends streams over HTTP/2 only; these are the bytes that it would send.
    const message = (json: string) => {
      const data = Buffer.from(json);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(data.length, 1);
      return Buffer.concat([head, data]);
    };
    const { status, body } = await send(`${api.url}/image.v1.ProcessorService/ProcessStream`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/connect+json' },
      chunks: [
        message('{"id":"a","request":{"url":"https://example.com/a"}}'),
        message('{"id":"b","request":{}}'),
      ],
    });
    expect(status).toBe(200);
    expect(body.toString('latin1').match(/"id":"\w"/g)).toEqual(['"id":"a"', '"id":"b"']);
  });

  it('has no other methods, and accepts only POST', async () => {
    const unknown = await fetch(`${api.url}/image.v1.ProcessorService/Delete`, {
      method: 'POST',
      body: '{}',
    });
    expect(unknown.status).toBe(404);
    const get = await fetch(`${api.url}/image.v1.ProcessorService/Process`);
    expect(get.status).toBe(405);
    expect(get.headers.get('allow')).toBe('POST');
  });

  it('does not speak plain gRPC, which needs HTTP/2', async () => {
    const response = await fetch(`${api.url}/image.v1.ProcessorService/Process`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/grpc' },
      body: new Uint8Array(5),
    });
    expect(response.status).toBe(415);
  });
});
