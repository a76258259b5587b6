import type { MessageInitShape } from '@bufbuild/protobuf';
import { ConnectError } from '@connectrpc/connect';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import {
  type DescribeResponse,
  ImageFormat,
  type ProcessRequest,
  type ProcessRequestSchema,
  type ProcessResponse,
} from '../../gen/image/v1/processor_pb.ts';
import { describeImage } from '../../src/processor/describe.ts';
import { startWorkerPool, type WorkerPool } from '../../src/processor/workers/pool.ts';
import { routes, sends, startOrigin } from '../support/origin.ts';
import { encoded, gradient, noise } from '../support/pictures.ts';
import { createProcessing, type ProcessorServer, startProcessorServer } from '../support/processor.ts';

type Request = Exclude<MessageInitShape<typeof ProcessRequestSchema>, ProcessRequest>;

let pool: WorkerPool;
let described: ProcessorServer;
let processed: ProcessorServer;
let pictures: Readonly<Record<string, Uint8Array>>;
beforeAll(async () => {
  pool = await startWorkerPool(2);
  // Two caches, so that a description does not come from the cache of processing.
  described = await startProcessorServer(createProcessing(pool));
  processed = await startProcessorServer(createProcessing(pool));
  const { pixels, width, height } = gradient(61, 40);
  const raw = { width, height, channels: 3 } as const;
  const file = () => sharp(pixels, { raw });
  const alpha = () => file().ensureAlpha(0.5);
  pictures = {
    jpeg: await file().jpeg().toBuffer(),
    'gray JPEG': await file().grayscale().jpeg().toBuffer(),
    'CMYK JPEG': await file().toColourspace('cmyk').jpeg().toBuffer(),
    'turned JPEG': await file().withMetadata({ orientation: 6 }).jpeg().toBuffer(),
    'JPEG with a profile': await file().withIccProfile('p3').jpeg().toBuffer(),
    'PNG with alpha': await alpha().png().toBuffer(),
    'PNG of 16 bits': await file().toColourspace('rgb16').png().toBuffer(),
    'WebP with alpha': await alpha().webp({ lossless: true }).toBuffer(),
    'turned TIFF': await file().withMetadata({ orientation: 8 }).tiff().toBuffer(),
    gif: await file().gif().toBuffer(),
    'thin PNG': await encoded(noise(1, 900), 'png'),
  };
});
afterAll(async () => {
  await described?.[Symbol.asyncDispose]();
  await processed?.[Symbol.asyncDispose]();
  await pool?.close();
});

const tensor = (
  value: Extract<Request['output'], { case: 'tensor' }>['value'],
): NonNullable<Request['output']> => ({
  case: 'tensor',
  value,
});
const webp: NonNullable<Request['output']> = { case: 'image', value: { format: ImageFormat.WEBP } };

const qwen = '{"image_processor_type": "Qwen2VLImageProcessor"}';

/** Requests of all kinds. Some are refused for some pictures. */
const requests: Readonly<Record<string, Request>> = {
  'no options': {},
  fill: { resize: { width: 30, height: 17 }, grayscale: true },
  cover: { resize: { width: 20, height: 33, fit: 2, filter: 6 }, output: webp },
  contain: { resize: { width: 64, height: 20, fit: 3 }, background: '#102030' },
  inside: { resize: { width: 50, height: 50, fit: 4 }, numerics: 2 },
  outside: { resize: { width: 50, height: 50, fit: 5 }, numerics: 2, grayscale: true },
  'one side': { resize: { height: 23 } },
  'a shortest edge and a crop': { resize: { shortestEdge: 31 }, crop: { width: 33, height: 20 } },
  'a crop larger than the image': { crop: { width: 200, height: 10 }, output: webp },
  'more pixels than the limit': { resize: { width: 60_000, fit: 1 } },
  'a side too long for WebP': { resize: { width: 17_000, height: 2 }, output: webp },
  'a tensor': { output: tensor({}) },
  'a gray tensor': { grayscale: true, output: tensor({ datatype: 1, layout: 2, container: 2 }) },
  'a tensor of BF16': { resize: { shortestEdge: 16 }, output: tensor({ datatype: 4, container: 3 }) },
  'CLIP in npz': { preset: 'clip-vit-base-patch32', output: tensor({ container: 4, datatype: 2 }) },
  'ResNet of torchvision': { preset: 'ResNet50_Weights.IMAGENET1K_V2' },
  // The thin PNG is refused.
  'patches and their grid': { preprocessorConfig: qwen, output: tensor({ container: 3 }) },
  'the pixels of patches': { preprocessorConfig: qwen, output: webp },
  'the pixels of a preset': { preset: 'vit-base-patch16-224', output: webp },
  'a bad option': { resize: { width: 3, height: 3 }, background: 'red' },
  'a source option': { sourceOptions: { page: 2 } },
};

async function failureOf(error: unknown) {
  if (!(error instanceof ConnectError)) throw error;
  const [info] = error.findDetails(ErrorInfoSchema);
  return { code: error.code, message: error.rawMessage, reason: info?.reason, metadata: info?.metadata };
}

/** The parts that a description and a response share. */
const ofDescription = ({ source, outputs, decisions, key, tokens, grid }: DescribeResponse) => ({
  source,
  outputs: outputs.map(({ output }) => output.value),
  decisions,
  key,
  tokens,
  grid,
});

async function ofResponse({ source, content, tensors, provenance, key, tokens, grid }: ProcessResponse) {
  const image = async () => {
    const { format, width, height } = await sharp(content).metadata();
    return { format: { jpeg: 1, png: 2, webp: 3 }[format as string], width, height };
  };
  return {
    source,
    outputs: tensors.length > 0 ? tensors : [await image()],
    decisions: provenance?.decisions,
    key,
    tokens,
    grid,
  };
}

describe(describeImage, () => {
  it.each(Object.entries(requests))('matches the result of processing: %s', async (_, request) => {
    for (const [name, value] of Object.entries(pictures)) {
      const whole: Request = { ...request, source: { case: 'content', value } };
      const description = await described.client.describe(whole).then(ofDescription, failureOf);
      const response = await processed.client.process(whole).then(ofResponse, failureOf);
      expect({ name, ...description }).toMatchObject({ name, ...response });
    }
  });

  it('states the bytes of a tensor, as raw contains them', async () => {
    const source = { case: 'content', value: pictures.jpeg as Uint8Array } as const;
    const request = { source, resize: { width: 20, height: 10 }, output: tensor({}) };
    const { outputs } = await described.client.describe(request);
    const { content, tensors } = await processed.client.process(request);
    expect(outputs.map(({ output }) => output.value)).toEqual(tensors);
    expect(tensors[0]?.bytes).toBe(BigInt(content.length));
  });

  it('counts the tokens of an image in the prompt of a model', async () => {
    const source = { case: 'content', value: await encoded(noise(1280, 720), 'png') } as const;
    const request = (type: string) => ({
      source,
      preprocessorConfig: JSON.stringify({ image_processor_type: `${type}ImageProcessor` }),
      output: tensor({ container: 3 }),
    });
    const qwen = await described.client.describe(request('Qwen2VL'));
    expect([qwen.grid, qwen.tokens]).toEqual([[1, 52, 92], 1196n]);
    // A token ends each row, and two are around them.
    const hunYuan = await described.client.describe(request('HunYuanVL'));
    expect([hunYuan.grid, hunYuan.tokens]).toEqual([[1, 44, 80], 22n * 41n + 2n]);
    const clip = await described.client.describe(request('CLIP'));
    expect([clip.grid, clip.tokens]).toEqual([[], 0n]);
  });

  it('describes a picture whose pixels are damaged, because it does not decode them', async () => {
    const value = Uint8Array.from(pictures['PNG of 16 bits'] as Uint8Array);
    value.fill(0, value.length - 200, value.length - 12);
    const source = { case: 'content', value } as const;
    await expect(processed.client.process({ source })).rejects.toThrow();
    expect((await described.client.describe({ source })).source).toMatchObject({ width: 61, height: 40 });
  });

  it('describes a cached source by its hash', async () => {
    const source = { case: 'content', value: pictures['turned JPEG'] as Uint8Array } as const;
    const response = await processed.client.process({ source, resize: { width: 9, height: 9 } });
    const known = { case: 'sha256', value: response.source?.sha256 ?? '' } as const;
    const description = await processed.client.describe({ source: known, resize: { width: 9, height: 9 } });
    expect(ofDescription(description)).toMatchObject(await ofResponse(response));
    const other = processed.client.describe({ source: known, resize: { width: 8, height: 9 } });
    expect(await other.then(ofDescription, failureOf)).toMatchObject({ reason: 'SOURCE_UNKNOWN' });
  });

  it('describes the image of a URL, and each variant', async () => {
    await using origin = await startOrigin(
      routes({ '/a.png': sends(pictures['PNG with alpha'] as Uint8Array) }),
    );
    const source = { case: 'url', value: origin.url('/a.png') } as const;
    const variants: Request[] = [{}, { preset: 'clip-vit-base-patch32' }, { numerics: 2, grayscale: true }];
    const descriptions = await described.client.describeVariants({ source, variants });
    const responses = await processed.client.processVariants({ source, variants });
    expect(descriptions.variants.map(ofDescription)).toMatchObject(
      await Promise.all(responses.variants.map(ofResponse)),
    );
    const failing = described.client.describeVariants({ source, variants: [{}, { background: 'red' }] });
    expect(await failing.then(() => undefined, failureOf)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { index: '1', option: 'background' },
    });
  });
});
