import { create, type MessageInitShape } from '@bufbuild/protobuf';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ImageFormat,
  PageBox,
  ProcessRequestSchema,
  ProcessVariantsRequestSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { describeImage, describeVariants } from '../../src/processor/describe.ts';
import { type ImageProcessing, processImage } from '../../src/processor/process-image.ts';
import { processVariants } from '../../src/processor/process-variants.ts';
import { startWorkerPool, type WorkerPool } from '../../src/processor/workers/pool.ts';
import { pagesPdf } from '../support/pdf.ts';
import { decoded } from '../support/pictures.ts';
import { createProcessing } from '../support/processor.ts';

type Request = MessageInitShape<typeof ProcessRequestSchema>;

let pool: WorkerPool;
let processing: ImageProcessing;
beforeAll(async () => {
  pool = await startWorkerPool(1);
  processing = createProcessing(pool);
});
afterAll(() => pool.close());

const caller = { name: 'ip:127.0.0.1', signal: new AbortController().signal };

/** A page of 4 × 2 points, in one colour. */
const page = (colour: string) => ({ mediaBox: [0, 0, 4, 2], content: `${colour} rg 0 0 4 2 re f` });
const red = page('1 0 0');
const blue = { ...page('0 0 1'), mediaBox: [0, 0, 2, 4], cropBox: [0, 0, 2, 2] };

const request = (options: Request = {}, content = pagesPdf([red, blue])) => ({
  source: { case: 'content' as const, value: content },
  ...options,
});

const process = (options: Request, content?: Buffer) =>
  processImage(create(ProcessRequestSchema, request(options, content) as never), processing, caller);

describe('a document', () => {
  it('is an image of the page that the request names', async () => {
    const response = await process({ sourceOptions: { page: 2, dpi: 72 }, grayscale: true });
    expect(response).toMatchObject({
      contentType: 'image/png',
      width: 2,
      height: 2,
      source: { format: ImageFormat.PDF, width: 2, height: 2, pages: 2 },
      provenance: { decisions: ['page=2 of 2', 'dpi=72'] },
    });
    expect((await decoded(response.content)).pixels).toEqual(new Uint8Array([29, 29, 29, 29]));
  });

  it('has another key for each option, and for each password', async () => {
    const options = [
      {},
      { page: 2 },
      { dpi: 72 },
      { pageBox: PageBox.MEDIA },
      { annotations: false },
      { password: 'a' },
      { password: 'b' },
    ];
    const responses = await Promise.all(options.map((sourceOptions) => process({ sourceOptions })));
    expect(new Set(responses.map(({ key }) => key)).size).toBe(options.length);
  });

  it('has the key of its defaults', async () => {
    const stated = { page: 1, dpi: 144, pageBox: PageBox.CROP, annotations: true };
    expect((await process({ sourceOptions: stated })).key).toBe((await process({})).key);
  });

  it('keeps its processes until none is needed, and pictures start none', async () => {
    await using other = await startWorkerPool(1).then((started) => ({
      ...started,
      [Symbol.asyncDispose]: started.close,
    }));
    expect(other.pids().documents).toEqual([]);
    await other.readHeader(pagesPdf([red]), 100);
    expect(other.pids().documents).toHaveLength(1);
  });
});

describe('variants of a document', () => {
  const variants = (list: readonly Request[]) =>
    processVariants(
      create(ProcessVariantsRequestSchema, { ...request(), variants: list } as never),
      processing,
      caller,
    );
  const sizes = (responses: readonly { width: number; height: number }[]) =>
    responses.map(({ width, height }) => [width, height]);

  it('may be of several pages, in any order', async () => {
    const { variants: responses } = await variants([
      { sourceOptions: { page: 2, dpi: 72 } },
      { sourceOptions: { page: 1, dpi: 72 } },
      { sourceOptions: { page: 2, dpi: 72 }, grayscale: true },
      { sourceOptions: { page: 2, dpi: 72, pageBox: PageBox.MEDIA } },
    ]);
    expect(sizes(responses)).toEqual([
      [2, 2],
      [4, 2],
      [2, 2],
      [2, 4],
    ]);
    expect((await decoded((responses[1] as { content: Uint8Array }).content)).pixels.subarray(0, 3)).toEqual(
      new Uint8Array([255, 0, 0]),
    );
  });

  it('fail with the index of the page that is missing', async () => {
    const failure = variants([{ sourceOptions: { page: 1 } }, { sourceOptions: { page: 3 } }]);
    await expect(failure).rejects.toMatchObject({
      reason: 'PAGE_OUT_OF_RANGE',
      metadata: { index: '1', limit: '2', actual: '3' },
    });
  });

  it('are described with the sizes of all pages', async () => {
    const described = await describeVariants(
      create(ProcessVariantsRequestSchema, {
        ...request(),
        variants: [{ sourceOptions: { page: 2 } }, { sourceOptions: { page: 1, dpi: 72 } }],
      } as never),
      processing,
      caller,
    );
    expect(described.variants.map(({ pages }) => sizes(pages))).toEqual([
      [
        [8, 4],
        [4, 4],
      ],
      [
        [4, 2],
        [2, 2],
      ],
    ]);
  });
});

describe('the description of a document', () => {
  const describeWith = (options: Request) =>
    describeImage(create(ProcessRequestSchema, request(options) as never), processing, caller);

  it('has the number of pages and their sizes, and the size of the output', async () => {
    const description = await describeWith({ sourceOptions: { dpi: 72, pageBox: PageBox.MEDIA, page: 2 } });
    expect(description.source).toMatchObject({ pages: 2, width: 2, height: 4 });
    expect(description.pages.map(({ width, height }) => [width, height])).toEqual([
      [4, 2],
      [2, 4],
    ]);
  });

  it('has no pages for a picture', async () => {
    const gif = Buffer.from('R0lGODdhAQABAIAAAP///////ywAAAAAAQABAAACAkQBADs=', 'base64');
    const description = await describeImage(
      create(ProcessRequestSchema, { source: { case: 'content', value: gif } }),
      processing,
      caller,
    );
    expect([description.source?.pages, description.pages]).toEqual([0, []]);
  });
});
