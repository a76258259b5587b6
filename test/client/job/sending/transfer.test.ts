import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../../gen/grpc/health/v1/health_pb.ts';
import {
  ProcessorService,
  ProcessRequestSchema,
  type ProcessStreamRequest,
} from '../../../../gen/image/v1/processor_pb.ts';
import type { JobFailure, JobImage } from '../../../../src/client/job/images.ts';
import { connectToProcessor } from '../../../../src/client/job/sending/processor-connection.ts';
import { transferImages } from '../../../../src/client/job/sending/transfer.ts';
import { Failure, type FailureReason, failureKinds } from '../../../../src/failures.ts';
import { toConnectError } from '../../../../src/grpc/rpc-failures.ts';
import { startRpcServer } from '../../../support/rpc-server.ts';

/*
 * Jobs whose processor is full, ends its streams or loses its connections: a gRPC server does each of these when the
 * test requires it. The real processor is in end-to-end/.
 */

const limits = {
  inFlight: 4,
  bytes: 1_000_000,
  tries: 5,
  patienceMs: 5_000,
  perHost: 4,
  hostPatienceMs: 60_000,
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-transfer-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** Files of some lengths, which are their contents too. */
async function files(...lengths: number[]): Promise<JobImage[]> {
  return await Promise.all(
    lengths.map(async (bytes, index) => {
      const path = join(folder, `${index}.jpg`);
      await writeFile(path, Buffer.alloc(bytes, index));
      return { source: { path, bytes, mtimeMs: 0, id: String(index) }, output: `${index}.npy` };
    }),
  );
}

type Reply =
  | { readonly failure: FailureReason; readonly metadata?: Readonly<Record<string, string>> }
  | 'response';

const responseTo = (id: string, reply: Reply) =>
  reply === 'response'
    ? { id, result: { case: 'response' as const, value: { content: new Uint8Array([Number(id)]) } } }
    : {
        id,
        result: {
          case: 'failure' as const,
          value: {
            code: 8,
            reason: reply.failure,
            message: 'No.',
            metadata: reply.metadata ?? { a: 'b' },
            retryable: failureKinds[reply.failure].isRetryable,
          },
        },
      };

type Handler = (
  requests: AsyncIterable<ProcessStreamRequest>,
  stream: number,
) => AsyncGenerator<ReturnType<typeof responseTo>>;

/** A processor whose handling of each stream, counted from 0, the test defines. */
async function startProcessor(onStream: Handler) {
  let streams = 0;
  const server = await startRpcServer((router) => {
    router.service(Health, { check: () => ({ status: Status.SERVING }) });
    router.service(ProcessorService, { processStream: (requests) => onStream(requests, streams++) });
  });
  return Object.assign(server, { streams: () => streams });
}

/** The outcome of each image, by its index. */
async function transfer(
  images: readonly JobImage[],
  url: string,
  some: Partial<typeof limits> = {},
  onResponse: (image: JobImage) => Promise<void> = async () => {},
) {
  const outcomes: Record<number, string> = {};
  const failures: JobFailure[] = [];
  const away: string[] = [];
  const connection = connectToProcessor(new URL(url));
  const note = (image: JobImage, outcome: string) => {
    const index = images.indexOf(image);
    expect(outcomes[index]).toBeUndefined();
    outcomes[index] = outcome;
  };
  try {
    await transferImages(
      images,
      create(ProcessRequestSchema),
      undefined,
      connection,
      { ...limits, ...some },
      {
        onResponse: async (image, { content }) => {
          note(image, `response ${content[0]}`);
          await onResponse(image);
        },
        onFailure: async (image, failure) => {
          note(image, failure.reason);
          failures.push(failure);
        },
        onAway: (why) => void away.push(why),
      },
      new AbortController().signal,
    );
  } finally {
    await connection.close();
  }
  return { outcomes, failures, away };
}

describe(transferImages, () => {
  it('reads no file while the most images allowed are in flight', async () => {
    const images = await files(1, 1, 1, 1);
    await using processor = await startProcessor(async function* (requests) {
      for await (const { id } of requests) {
        if (id === '0') continue;
        // The client can no longer read a file that it has not read by now.
        if (id === '1') await rm(join(folder, '2.jpg'));
        if (id === '1') yield responseTo('0', 'response');
        yield responseTo(id, 'response');
      }
    });
    const { outcomes } = await transfer(images, processor.url, { inFlight: 2 });
    expect(outcomes).toEqual({ 0: 'response 0', 1: 'response 1', 2: 'INPUT_MISSING', 3: 'response 3' });
  });

  it('reads no file while others fill its byte limit, and a longer file by itself', async () => {
    const images = await files(400, 400, 400, 3000, 10);
    const batches: string[][] = [];
    await using processor = await startProcessor(async function* (requests) {
      let batch: string[] = [];
      for await (const { id } of requests) {
        batch.push(id);
        // The first two are read at once and arrive in the order in which they were read.
        if (batches.length === 0 && batch.length < 2) continue;
        // The client can no longer read a file that it has not read by now.
        if (batches.length === 0) await rm(join(folder, '2.jpg'));
        batches.push(batch.toSorted());
        for (const each of batch) yield responseTo(each, 'response');
        batch = [];
      }
    });
    const { outcomes } = await transfer(images, processor.url, { bytes: 1000 });
    expect(outcomes).toEqual({
      0: 'response 0',
      1: 'response 1',
      2: 'INPUT_MISSING',
      3: 'response 3',
      4: 'response 4',
    });
    expect(batches).toEqual([['0', '1'], ['3'], ['4']]);
  });

  it('sends images again that a full processor refused, and fails one that it refuses for longer than the patience', async () => {
    const images = await files(1, 1);
    const times: Record<string, number> = {};
    await using processor = await startProcessor(async function* (requests) {
      for await (const { id } of requests) {
        times[id] = (times[id] ?? 0) + 1;
        yield responseTo(id, id === '1' || times[id] === 1 ? { failure: 'OVERLOADED' } : 'response');
      }
    });
    const { outcomes, failures } = await transfer(images, processor.url, { patienceMs: 200, tries: 1 });
    expect(outcomes).toEqual({ 0: 'response 0', 1: 'OVERLOADED' });
    expect(times).toMatchObject({ 0: 2 });
    expect(times['1']).toBeGreaterThan(1);
    expect(failures[0]).toEqual({
      source: join(folder, '1.jpg'),
      reason: 'OVERLOADED',
      message: 'No.',
      metadata: { a: 'b' },
      code: 8,
      retryable: true,
    });
  });

  it('does not send an image again that failed for good', async () => {
    let times = 0;
    await using processor = await startProcessor(async function* (requests) {
      for await (const { id } of requests) {
        times++;
        yield responseTo(id, { failure: 'IMAGE_CORRUPT' });
      }
    });
    const { outcomes } = await transfer(await files(1), processor.url);
    expect(outcomes).toEqual({ 0: 'IMAGE_CORRUPT' });
    expect(times).toBe(1);
  });

  it('opens another stream when the processor drains, as often as it takes', async () => {
    const images = await files(...Array(8).fill(5));
    await using processor = await startProcessor(async function* (requests) {
      for await (const { id } of requests) {
        // One response per stream, with others in flight.
        yield responseTo(id, 'response');
        throw toConnectError(new Failure('DRAINING', 'The processor is shutting down.'));
      }
    });
    const { outcomes, away } = await transfer(images, processor.url, { tries: 1 });
    expect(Object.values(outcomes).filter((outcome) => outcome.startsWith('response')).length).toBe(8);
    expect(processor.streams()).toBe(8);
    expect(away[0]).toMatch(/^waiting for image-processor at .+: The processor is shutting down\.$/);
  });

  it('opens a stream again when there is something to send after the processor has ended an idle one', async () => {
    const images = await files(5);
    await using processor = await startProcessor(async function* (requests, stream) {
      for await (const { id } of requests) {
        yield responseTo(id, stream === 0 ? { failure: 'OVERLOADED' } : 'response');
        if (stream === 0)
          throw toConnectError(new Failure('STREAM_IDLE', 'The stream had no image in work.'));
      }
    });
    const { outcomes, away } = await transfer(images, processor.url);
    expect(outcomes).toEqual({ 0: 'response 0' });
    expect(away).toEqual([]);
    expect(processor.streams()).toBe(2);
  });

  it('sends no more URLs of a host at once than allowed, and those of another host meanwhile', async () => {
    const images = ['a', 'a', 'a', 'a', 'a', 'b'].map((host, index) => ({
      source: { url: `http://${host}/${index}` },
      output: `${index}.npy`,
    }));
    const inFlight = new Set<string>();
    let most = 0;
    await using processor = await startProcessor(async function* (requests) {
      for await (const { id, request } of requests) {
        const url = String(request?.source.value);
        if (url.startsWith('http://b/')) {
          yield responseTo(id, 'response');
          for (const each of inFlight) yield responseTo(each, 'response');
          inFlight.clear();
        } else {
          inFlight.add(id);
          most = Math.max(most, inFlight.size);
          // The first two wait until the other host's image, the last one, has arrived.
          if (Object.keys(seen).length >= 2) yield responseTo(id, 'response');
          if (Object.keys(seen).length >= 2) inFlight.delete(id);
        }
        seen[url] = true;
      }
    });
    const seen: Record<string, boolean> = {};
    const { outcomes } = await transfer(images, processor.url, { perHost: 2 });
    expect(Object.keys(outcomes).length).toBe(6);
    expect(most).toBe(2);
    expect(Object.keys(seen).slice(0, 3)).toContain('http://b/5');
  });

  it('finds the image that ends every connection, and the others come through', async () => {
    const images = await files(...Array(12).fill(5));
    await using processor = await startProcessor(async function* (requests) {
      for await (const { id } of requests) {
        if (id === '5') throw new Error('this one ends the process');
        yield responseTo(id, 'response');
      }
    });
    const { outcomes, failures } = await transfer(images, processor.url);
    expect(failures).toMatchObject([
      { source: join(folder, '5.jpg'), reason: 'PROCESSOR_UNAVAILABLE', metadata: { tries: '5' }, code: 14 },
    ]);
    expect(Object.keys(outcomes).length).toBe(12);
  });

  it('treats a processor that is silent for too long as lost', async () => {
    const images = await files(1, 1);
    await using processor = await startProcessor(async function* (requests, stream) {
      for await (const { id } of requests) {
        if (stream === 0) await new Promise(() => {});
        yield responseTo(id, 'response');
      }
    });
    const { outcomes, away } = await transfer(images, processor.url, { patienceMs: 300 });
    expect(outcomes).toEqual({ 0: 'response 0', 1: 'response 1' });
    expect(away).toEqual([expect.stringMatching(/: no response in time$/)]);
  });

  it('gives up on a processor that reports SERVING but ends every stream', async () => {
    await using processor = await startProcessor(async function* () {
      yield* [];
      throw toConnectError(new Failure('DRAINING', 'The processor is shutting down.'));
    });
    await expect(transfer(await files(1), processor.url, { patienceMs: 300 })).rejects.toMatchObject({
      end: 'unavailable',
      reason: 'PROCESSOR_UNAVAILABLE',
    });
  });

  it('ends with the error that an outcome throws, such as a full disk', async () => {
    await using processor = await startProcessor(async function* (requests) {
      for await (const { id } of requests) yield responseTo(id, 'response');
    });
    const full = new Error('no space left');
    const all = transfer(await files(1, 1, 1), processor.url, {}, () => Promise.reject(full));
    await expect(all).rejects.toBe(full);
  });

  it('reports a file that was removed since it was found', async () => {
    const images = await files(1, 1);
    await rm(join(folder, '0.jpg'));
    await using processor = await startProcessor(async function* (requests) {
      for await (const { id } of requests) yield responseTo(id, 'response');
    });
    const { outcomes } = await transfer(images, processor.url);
    expect(outcomes).toEqual({ 0: 'INPUT_MISSING', 1: 'response 1' });
  });
});
