import { hash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  ProcessResponseSchema,
  type ProcessVariantsRequest,
  ProcessVariantsRequestSchema,
  ProcessVariantsResponseSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { createRepeats, withoutSha256 } from '../../../src/api/upstream/repeats.ts';
import { Failure, type FailureReason } from '../../../src/failures.ts';

const image = new Uint8Array(100_000).map((_, at) => at * 31);
const sha256 = hash('sha256', image);

const requestOf = (value: Uint8Array, grayscale = false) =>
  create(ProcessRequestSchema, { source: { case: 'content', value }, grayscale });

const variantsOf = (value: Uint8Array, ...grayscales: boolean[]) =>
  create(ProcessVariantsRequestSchema, {
    source: { case: 'content', value },
    variants: grayscales.map((grayscale) => ({ grayscale })),
  });

/** A processor with a cache, and what it received: a SHA-256 or a number of bytes. */
function started() {
  const repeats = createRepeats();
  const sent: unknown[] = [];
  const script: { refusal?: FailureReason } = {};
  async function process(request: ProcessRequest) {
    note(request.source);
    return create(ProcessResponseSchema, { source: sourceOf(request.source) });
  }
  async function processVariants({ source, variants }: ProcessVariantsRequest) {
    note(source);
    const response = { source: sourceOf(source) };
    return create(ProcessVariantsResponseSchema, { variants: variants.map(() => response) });
  }
  function note(source: ProcessRequest['source']) {
    sent.push(source.case === 'content' ? source.value.length : source.value);
    if (script.refusal !== undefined && source.case === 'sha256') throw new Failure(script.refusal, 'no');
  }
  return {
    send: (request: ProcessRequest) => repeats.send(request, process),
    sendVariants: (request: ProcessVariantsRequest) => repeats.send(request, processVariants),
    sent,
    script,
  };
}

/** The processor's description of a source. */
function sourceOf({ case: kind, value }: ProcessRequest['source']) {
  return { sha256: kind === 'content' ? hash('sha256', value) : (value ?? '') };
}

describe(createRepeats, () => {
  it('asks by SHA-256 for repeated requests, and sends the bytes of all others', async () => {
    const { send, sendVariants, sent } = started();
    await send(requestOf(image));
    await send(requestOf(Uint8Array.from(image)));
    await send(requestOf(image, true));
    await send(requestOf(image, true));
    await sendVariants(variantsOf(image, true));
    await sendVariants(variantsOf(image, true, false));
    await sendVariants(variantsOf(image, true, false));
    expect(sent).toEqual([100_000, sha256, 100_000, sha256, 100_000, 100_000, sha256]);
  });

  it.each([0, 1, 15, 16, 50_000, 99_999])(
    'takes an image that differs in byte %i for another',
    async (at) => {
      const { send, sent } = started();
      await send(requestOf(image));
      await send(requestOf(image.with(at, (image[at] ?? 0) ^ 1)));
      expect(sent).toEqual([100_000, 100_000]);
    },
  );

  it('does not confuse the end of the options with the start of the image', async () => {
    const { send, sent } = started();
    const options = toBinary(ProcessRequestSchema, create(ProcessRequestSchema, { grayscale: true }));
    await send(requestOf(image, true));
    await send(requestOf(Uint8Array.from([...options, ...image])));
    await send(requestOf(image));
    expect(sent).toEqual([100_000, 100_000 + options.length, 100_000]);
  });

  it.each<FailureReason>(['SOURCE_UNKNOWN', 'SOURCE_MISSING'])(
    'sends the bytes when the response is no longer known: %s',
    async (refusal) => {
      const { send, sent, script } = started();
      await send(requestOf(image));
      script.refusal = refusal;
      await send(requestOf(image));
      expect(sent).toEqual([100_000, sha256, 100_000]);
    },
  );

  it('fails with the error of the request by SHA-256 if that is another one', async () => {
    const { send, sent, script } = started();
    await send(requestOf(image));
    script.refusal = 'PROCESSOR_UNAVAILABLE';
    await expect(send(requestOf(image))).rejects.toMatchObject({ reason: 'PROCESSOR_UNAVAILABLE' });
    expect(sent).toEqual([100_000, sha256]);
  });

  it('does not repeat a failed request by SHA-256', async () => {
    const repeats = createRepeats();
    const sent: unknown[] = [];
    const fails = async ({ source }: ProcessRequest): Promise<ProcessResponse> => {
      sent.push(source.case);
      throw new Failure('IMAGE_CORRUPT', 'no');
    };
    for (let run = 0; run < 2; run++) {
      await expect(repeats.send(requestOf(image), fails)).rejects.toMatchObject({ reason: 'IMAGE_CORRUPT' });
    }
    expect(sent).toEqual(['content', 'content']);
  });

  it('sends URLs and short images unchanged', async () => {
    const { send, sent } = started();
    const short = requestOf(image.subarray(0, 60_000));
    const url = create(ProcessRequestSchema, { source: { case: 'url', value: 'https://example.com/a.png' } });
    for (const request of [url, url, short, short]) await send(request);
    expect(sent).toEqual(['https://example.com/a.png', 'https://example.com/a.png', 60_000, 60_000]);
  });
});

describe(withoutSha256, () => {
  it('removes the SHA-256 of a request, and leaves all other requests unchanged', () => {
    const request = create(ProcessRequestSchema, {
      source: { case: 'sha256', value: sha256 },
      grayscale: true,
    });
    expect(withoutSha256(request)).toMatchObject({ source: { case: 'sha256', value: '' }, grayscale: true });
    const sent = requestOf(image);
    expect(withoutSha256(sent)).toBe(sent);
  });
});
