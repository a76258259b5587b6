import type { MessageInitShape } from '@bufbuild/protobuf';
import { Code, ConnectError } from '@connectrpc/connect';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import {
  CacheState,
  Datatype,
  ImageFormat,
  type ProcessRequest,
  type ProcessRequestSchema,
  TensorContainer,
} from '../../gen/image/v1/processor_pb.ts';
import type { VllmFeatures } from '../../src/processor/image/vllm-item.ts';
import { processBatch } from '../../src/processor/process-batch.ts';
import { createServingMemory } from '../../src/processor/serving/call-memory.ts';
import { startWorkerPool, type WorkerPool } from '../../src/processor/workers/pool.ts';
import { encoded, gradient, noise, solid } from '../support/pictures.ts';
import { createProcessing, startProcessorServer } from '../support/processor.ts';

type Request = Exclude<MessageInitShape<typeof ProcessRequestSchema>, ProcessRequest>;

let pool: WorkerPool;
let pictures: Uint8Array[];
beforeAll(async () => {
  pool = await startWorkerPool(2);
  pictures = await Promise.all([1, 2, 3].map((seed) => encoded(noise(30 + seed, 20, seed), 'png')));
});
afterAll(() => pool.close());

/** The reason and message of a failed call, as a client sees them. */
async function errorOf(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ConnectError)) throw new Error('the call did not fail');
  const [info] = error.findDetails(ErrorInfoSchema);
  return { code: error.code, message: error.rawMessage, reason: info?.reason, metadata: info?.metadata };
}

const clip = (value: Uint8Array, container: TensorContainer = TensorContainer.RAW): Request => ({
  source: { case: 'content', value },
  preset: 'clip-vit-base-patch32',
  output: { case: 'tensor', value: { container } },
});
const plain = (value: Uint8Array, side = 4, datatype: Datatype = Datatype.UINT8): Request => ({
  source: { case: 'content', value },
  resize: { width: side, height: side },
  output: { case: 'tensor', value: { datatype } },
});

describe(processBatch, () => {
  it('returns the tensors of N images, one after another', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const { content, contentType, tensors, images } = await server.client.processBatch({
      requests: pictures.map((picture) => clip(picture)),
    });
    expect(contentType).toBe('application/octet-stream');
    expect(tensors).toMatchObject([{ name: 'pixel_values', datatype: 'FP32', shape: [3n, 3n, 224n, 224n] }]);
    expect(content.length).toBe(3 * 3 * 224 * 224 * 4);
    const singles = await Promise.all(pictures.map((picture) => server.client.process(clip(picture))));
    expect(Buffer.concat(singles.map((single) => single.content)).equals(content)).toBe(true);
    expect(images.map(({ key }) => key)).toEqual(singles.map(({ key }) => key));
    expect(images).toMatchObject(
      [31, 32, 33].map((width) => ({ source: { width }, cache: CacheState.MISS })),
    );
    expect(images.map((image) => image.content.length)).toEqual([0, 0, 0]);
  });

  it('treats presets without an output as raw tensors', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const requests = pictures.map((picture) => ({
      source: clip(picture).source,
      preset: 'ResNet50_Weights.IMAGENET1K_V2',
    })) as Request[];
    const { contentType, tensors } = await server.client.processBatch({ requests });
    expect([contentType, tensors[0]?.shape]).toEqual(['application/octet-stream', [3n, 3n, 224n, 224n]]);
  });

  it.each([
    [TensorContainer.NPY, 'application/x-npy', "'shape': (3, 3, 224, 224)"],
    [TensorContainer.SAFETENSORS, 'application/vnd.safetensors', '"shape":[3,3,224,224]'],
    [TensorContainer.NPZ, 'application/x-npz', "'shape': (3, 3, 224, 224)"],
  ])('writes container %s with N in its header', async (container, contentType, shape) => {
    await using server = await startProcessorServer(createProcessing(pool));
    const [raw, contained] = await Promise.all(
      [TensorContainer.RAW, container].map((each) =>
        server.client.processBatch({ requests: pictures.map((picture) => clip(picture, each)) }),
      ),
    );
    if (raw === undefined || contained === undefined) throw new Error('no response');
    expect(contained.contentType).toBe(contentType);
    const file = Buffer.from(contained.content);
    const start = file.indexOf(raw.content);
    expect(start).toBeGreaterThan(0);
    expect(file.toString('latin1', 0, start)).toContain(shape);
  });

  it('shares its images with the cache of single requests', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    await server.client.process(clip(pictures[1] as Uint8Array));
    const ask = () => server.client.processBatch({ requests: pictures.map((picture) => clip(picture)) });
    const { MISS, HIT_MEMORY } = CacheState;
    expect((await ask()).images.map(({ cache }) => cache)).toEqual([MISS, HIT_MEMORY, MISS]);
    expect((await ask()).images.map(({ cache }) => cache)).toEqual([HIT_MEMORY, HIT_MEMORY, HIT_MEMORY]);
  });

  it('refuses unequal shapes with the index and both of them', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const [one, two, three] = pictures as [Uint8Array, Uint8Array, Uint8Array];
    expect(
      await errorOf(server.client.processBatch({ requests: [plain(one), plain(two), plain(three, 5)] })),
    ).toEqual({
      code: Code.InvalidArgument,
      reason: 'BATCH_SHAPES_UNEQUAL',
      message: expect.stringMatching(
        /^Image [01] becomes UINT8 \[3, 4, 4\] and image 2 becomes UINT8 \[3, 5, 5\]. Give them one size and one datatype\.$/,
      ),
      metadata: { index: '2', expected: '3,4,4', actual: '3,5,5', retryable: 'false' },
    });
    const other = server.client.processBatch({ requests: [plain(one), plain(two, 4, Datatype.FP16)] });
    expect(await errorOf(other)).toMatchObject({ reason: 'BATCH_SHAPES_UNEQUAL', metadata: { index: '1' } });
  });

  it('fails with the index and the reason of the image that fails', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const [one, two] = pictures as [Uint8Array, Uint8Array];
    const requests = [plain(one), plain(two.subarray(0, 200)), plain(two)];
    const failure = await errorOf(server.client.processBatch({ requests }));
    expect(failure).toMatchObject({
      code: Code.InvalidArgument,
      reason: 'IMAGE_CORRUPT',
      metadata: { index: '1', format: 'png' },
    });
    expect(failure.message).toMatch(/^Image 1 of the batch: /);
  });

  it('refuses an empty batch', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    expect(await errorOf(server.client.processBatch({}))).toMatchObject({ reason: 'SOURCE_MISSING' });
  });

  it('accepts 256 images and refuses 257', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const pixel = await encoded(gradient(1, 1), 'png');
    const requests = Array.from({ length: 256 }, () => plain(pixel, 1));
    const { tensors, content } = await server.client.processBatch({ requests });
    expect([tensors[0]?.shape, content.length]).toEqual([[256n, 3n, 1n, 1n], 768]);
    const more = server.client.processBatch({ requests: [...requests, plain(pixel, 1)] });
    expect(await errorOf(more)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'requests', limit: '256', actual: '257' },
    });
  });

  it('refuses, by its index, a request for something other than a tensor', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const [one] = pictures as [Uint8Array];
    const { source, preset } = clip(one) as Required<Request>;
    const image: Request['output'] = { case: 'image', value: { format: ImageFormat.PNG } };
    for (const other of [
      { source },
      { source, output: image },
      { source, preset, output: image },
    ] as Request[]) {
      expect(await errorOf(server.client.processBatch({ requests: [clip(one), other] }))).toMatchObject({
        reason: 'OPTION_INVALID',
        metadata: { option: 'output', index: '1', allowed: 'a tensor' },
      });
    }
  });

  it('refuses, by its index, source options that no format supports', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const [one] = pictures as [Uint8Array];
    const requests = [clip(one), { ...clip(one), sourceOptions: { dpi: 200 } }];
    expect(await errorOf(server.client.processBatch({ requests }))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'source_options.dpi', index: '1', actual: '200' },
    });
  });

  it('refuses different containers, and one that does not exist', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const [one] = pictures as [Uint8Array];
    const differing = { requests: [clip(one), clip(one, TensorContainer.NPY)] };
    expect(await errorOf(server.client.processBatch(differing))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'container', index: '1' },
    });
    const unknown = { requests: [clip(one, 99 as never)] };
    expect(await errorOf(server.client.processBatch(unknown))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'container', allowed: 'raw, npy, safetensors, npz, vllm, open_inference, auto' },
    });
  });

  it('has an item of vLLM for each image, of whatever shapes', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const contents = [
      await encoded(solid(700, 300, [1, 2, 3]), 'png'),
      await encoded(solid(60, 70, [1, 2, 3]), 'png'),
    ];
    const requests = contents.map(
      (content): Request => ({
        source: { case: 'content', value: content },
        preset: 'llava-hf/llava-v1.6-mistral-7b-hf',
        output: { case: 'tensor', value: { container: TensorContainer.VLLM } },
      }),
    );
    const { content, images } = await server.client.processBatch({ requests });
    const features = JSON.parse(Buffer.from(content).toString()) as VllmFeatures;
    expect(features.kwargs_data.image).toHaveLength(2);
    expect(images.map(({ tensors }) => tensors[0]?.shape.slice(0, 2))).toEqual([
      [1n, 4n],
      [1n, 3n],
    ]);
    const tokens = images.map((image) => Number(image.tokens));
    expect(features).toMatchObject({
      mm_hashes: { image: images.map(({ key }) => key) },
      num_tokens: { image: tokens },
      pixels: 'normalized',
    });
    expect(tokens[0]).toBe(576 + 24 * (56 + 1));
  });

  it('treats an unset container as raw', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const [one] = pictures as [Uint8Array];
    const requests = [clip(one), clip(one, TensorContainer.UNSPECIFIED)];
    expect((await server.client.processBatch({ requests })).tensors[0]?.shape[0]).toBe(2n);
  });

  it('refuses BF16 in npy', async () => {
    await using server = await startProcessorServer(createProcessing(pool));
    const [one] = pictures as [Uint8Array];
    const bfloat16: Request = {
      ...clip(one),
      output: { case: 'tensor', value: { datatype: Datatype.BF16, container: TensorContainer.NPY } },
    };
    const requests = [clip(one, TensorContainer.NPY), bfloat16];
    expect(await errorOf(server.client.processBatch({ requests }))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'datatype', index: '1' },
    });
  });

  it('refuses a tensor over the limit of a response before it reads an image', async () => {
    const memory = createServingMemory(1_000_000, 5000, 60_000);
    await using server = await startProcessorServer(createProcessing(pool), { memory });
    const [one] = pictures as [Uint8Array];
    const broken = one.subarray(0, 100);
    // Each has 4 × 4 × 3 bytes.
    const batchOf = (count: number, picture: Uint8Array) =>
      server.client.processBatch({ requests: Array.from({ length: count }, () => plain(picture)) });
    expect((await batchOf(104, one)).tensors[0]?.shape[0]).toBe(104n);
    expect(await errorOf(batchOf(105, broken))).toMatchObject({
      code: Code.InvalidArgument,
      reason: 'OUTPUT_BYTES_OVER_LIMIT',
      metadata: { limit: '5000', actual: '5040', limited_by: 'MAX_ANSWER_BYTES' },
    });
  });

  it('accepts more bytes in total than a single image may have, within the memory limit', async () => {
    const memory = createServingMemory(400_000, 300_000, 60_000);
    await using server = await startProcessorServer(createProcessing(pool), {
      memory,
      maxSourceBytes: 10_000,
    });
    const picture = await encoded(noise(50, 50), 'png');
    expect(picture.length).toBeGreaterThan(7_000);
    const batchOf = (count: number) =>
      server.client.processBatch({ requests: Array.from({ length: count }, () => plain(picture)) });
    expect((await batchOf(30)).tensors[0]?.shape[0]).toBe(30n);
    const error = await batchOf(60).catch((thrown: unknown) => ConnectError.from(thrown));
    expect(error).toMatchObject({ code: Code.ResourceExhausted });
    const tensors = Array.from({ length: 36 }, () => plain(picture, 24, Datatype.FP32));
    expect(await errorOf(server.client.processBatch({ requests: tensors }))).toMatchObject({
      reason: 'OUTPUT_BYTES_OVER_LIMIT',
      metadata: { limit: '300000', limited_by: 'MAX_HELD_BYTES' },
    });
    expect(memory.budget.bytes()).toBe(0);
  });
});
