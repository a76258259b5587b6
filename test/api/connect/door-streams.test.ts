import { once } from 'node:events';
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { create, toBinary } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ProcessStreamRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { openConnectDoor } from '../../../src/api/connect/connect-door.ts';
import { Failure } from '../../../src/failures.ts';
import { toConnectError } from '../../../src/grpc/rpc-failures.ts';
import {
  plainResponse,
  type ScriptedProcessor,
  startScriptedProcessor,
  startTestApi,
  type TestApi,
} from '../../support/api.ts';

let processor: ScriptedProcessor;
beforeAll(async () => {
  processor = await startScriptedProcessor();
});
beforeEach(() => processor.reset());
afterAll(() => processor[Symbol.asyncDispose]());

const open: ClientRequest[] = [];
afterEach(() => {
  for (const one of open.splice(0)) one.destroy();
});

const start = (environment: Record<string, string> = {}) =>
  startTestApi({ PROCESSOR_URL: processor.url, ...environment });

const types = ['application/connect+proto', 'application/grpc-web+proto'];

/** One image of a stream, in its envelope. */
function image(id: string): Buffer {
  const message = toBinary(
    ProcessStreamRequestSchema,
    create(ProcessStreamRequestSchema, {
      id,
      request: { source: { case: 'content', value: new Uint8Array([1]) } },
    }),
  );
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** A stream that stays open until it is ended. */
function stream(api: TestApi, contentType = 'application/connect+proto', headers = {}) {
  const request = httpRequest(`${api.url}/image.v1.ProcessorService/ProcessStream`, {
    method: 'POST',
    agent: false,
    headers: { 'Content-Type': contentType, ...headers },
  });
  request.on('error', () => {});
  request.flushHeaders();
  open.push(request);
  let received = '';
  const waiting = new Set<() => void>();
  const end = once(request, 'response').then(async ([response]) => {
    for await (const chunk of response as IncomingMessage) {
      // gRPC-Web has its messages percent-encoded.
      received += chunk.toString('latin1').replaceAll('%20', ' ');
      for (const wake of waiting) wake();
    }
    return received;
  });
  // A test may leave before the end.
  end.catch(() => {});
  return {
    request,
    /** All that was received, once the stream has ended. */
    end,
    /** Waits until this has been received. */
    async until(text: string): Promise<void> {
      while (!received.includes(text)) {
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
  };
}

const post = (api: TestApi) => fetch(`${api.url}/v1/images`, { method: 'POST', body: new Uint8Array([1]) });

describe(openConnectDoor, () => {
  describe.each(types)('with a stream of %s', (type) => {
    it('takes no place in the queue for a stream without an image', async () => {
      await using api = await start({ MAX_CALLS_PER_PROCESSOR: '1' });
      const idle = [1, 2, 3, 4].map(() => stream(api, type));
      idle[0]?.request.write(image('a'));
      await idle[0]?.until('c0ffee');
      expect((await post(api)).status).toBe(200);
      for (const { request } of idle) request.end();
      for (const { end } of idle) expect(await end).not.toContain('"error"');
    });

    it('counts the images in work of a stream', async () => {
      await using api = await start({ MAX_CALLS_PER_PROCESSOR: '1' });
      const arrived = Promise.withResolvers<void>();
      const release = Promise.withResolvers<void>();
      processor.script.process = async () => {
        arrived.resolve();
        await release.promise;
        return plainResponse;
      };
      const busy = stream(api, type);
      busy.request.write(image('a'));
      await arrived.promise;
      const refused = await post(api);
      expect([refused.status, ((await refused.json()) as { reason: string }).reason]).toEqual([
        503,
        'OVERLOADED',
      ]);
      release.resolve();
      await busy.until('c0ffee');
      expect((await post(api)).status).toBe(200);
    });

    it('ends when it has been idle for its time, with a reason', async () => {
      await using api = await start({ STREAM_IDLE_TIMEOUT_MS: '300' });
      const idle = stream(api, type);
      const halfSent = stream(api, type);
      halfSent.request.write(image('a').subarray(0, 7));
      expect(await idle.end).toContain('had no image in work for 300 ms');
      expect(await halfSent.end).toContain('had no image in work for 300 ms');
    });

    it('is refused if its caller has the most idle streams allowed', async () => {
      await using api = await start({ MAX_IDLE_STREAMS_PER_CALLER: '2' });
      for (const _ of [1, 2]) {
        const one = stream(api, type);
        one.request.write(image('a'));
        await one.until('c0ffee');
      }
      expect(await stream(api, type).end).toContain('2 streams of this caller have no image in work');
    });
  });

  it('gives each image of a stream its own deadline, which is ours or that of the stream', async () => {
    await using api = await start({ REQUEST_TIMEOUT_MS: '2000' });
    const seen: number[] = [];
    processor.script.process = (_request, context) => {
      seen.push(context.timeoutMs() ?? Number.NaN);
      return plainResponse;
    };
    const long = stream(api);
    const hasty = stream(api, undefined, { 'Connect-Timeout-Ms': '500' });
    hasty.request.write(image('a'));
    await hasty.until('c0ffee');
    for (const id of ['a', 'b']) {
      long.request.write(image(id));
      await long.until(id === 'a' ? '\n\x01a' : '\n\x01b');
    }
    const [first = 0, ...others] = seen;
    expect(first).toBeLessThanOrEqual(500);
    for (const timeoutMs of others) {
      expect(timeoutMs).toBeGreaterThan(500);
      expect(timeoutMs).toBeLessThanOrEqual(2000);
    }
  });

  it('outlives REQUEST_TIMEOUT_MS as long as images come', async () => {
    await using api = await start({ REQUEST_TIMEOUT_MS: '400' });
    const long = stream(api);
    const until = performance.now() + 1200;
    let count = 0;
    while (performance.now() < until) {
      const id = `image-${count++}`;
      long.request.write(image(id));
      await long.until(id);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    long.request.end();
    expect(await long.end).not.toContain('"error"');
  });

  it('fails an image that takes too long, and continues the stream', async () => {
    await using api = await start({ REQUEST_TIMEOUT_MS: '300' });
    processor.script.process = (_request, { signal }: HandlerContext) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const one = stream(api);
    one.request.write(image('slow'));
    await one.until('DEADLINE_EXCEEDED');
    processor.reset();
    one.request.end(image('quick'));
    expect(await one.end).toContain('c0ffee');
  });

  it('has no more than eight images of one stream in work', async () => {
    await using api = await start();
    const full = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let [inWork, most] = [0, 0];
    processor.script.process = async () => {
      most = Math.max(most, ++inWork);
      if (inWork === 8) full.resolve();
      await release.promise;
      inWork--;
      return plainResponse;
    };
    const one = stream(api);
    for (let index = 0; index < 20; index++) one.request.write(image(`image-${index}`));
    one.request.end();
    await full.promise;
    release.resolve();
    expect((await one.end).match(/image-\d+/g)).toHaveLength(20);
    expect(most).toBe(8);
  });

  it('continues when a processor has ended: the image is sent once more', async () => {
    await using api = await start();
    processor.script.process = () => {
      processor.script.process = () => plainResponse;
      throw toConnectError(new Failure('DRAINING', 'It ends.'));
    };
    const one = stream(api);
    one.request.end(image('a'));
    const all = await one.end;
    expect(all).toContain('c0ffee');
    expect(all).not.toContain('DRAINING');
  });

  it('ends its streams when it drains, after the images in work', async () => {
    const api = await start();
    const arrived = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    processor.script.process = async () => {
      arrived.resolve();
      await release.promise;
      return plainResponse;
    };
    const [idle, busy] = [stream(api), stream(api)];
    busy.request.write(image('a'));
    await arrived.promise;
    const drained = api.drain();
    expect(await idle.end).toContain('DRAINING');
    release.resolve();
    const all = await busy.end;
    expect(all).toContain('c0ffee');
    expect(all).toContain('DRAINING');
    await drained;
  });
});
