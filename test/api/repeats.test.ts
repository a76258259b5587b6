import { hash } from 'node:crypto';
import { create } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessVariantsRequest,
  ProcessVariantsRequestSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { createRepeats, withoutSha256 } from '../../src/api/repeats.ts';
import { Failure, type FailureReason } from '../../src/failures.ts';

const image = new Uint8Array(100_000).map((_, at) => at * 31);
const sha256 = hash('sha256', image);

const requestOf = (value: Uint8Array, grayscale = false) =>
  create(ProcessRequestSchema, { source: { case: 'content', value }, grayscale });

const variantsOf = (value: Uint8Array, ...grayscales: boolean[]) =>
  create(ProcessVariantsRequestSchema, {
    source: { case: 'content', value },
    variants: grayscales.map((grayscale) => ({ grayscale })),
  });

/** A processor that has its answers, and what it was sent: a SHA-256 or a number of bytes. */
function started() {
  const repeats = createRepeats();
  const sent: unknown[] = [];
  let refusal: FailureReason | undefined;
  const call = async ({ source }: ProcessRequest | ProcessVariantsRequest) => {
    sent.push(source.case === 'content' ? source.value.length : source.value);
    if (refusal !== undefined && source.case === 'sha256') throw new Failure(refusal, 'no');
    return source.case;
  };
  return {
    send: (request: ProcessRequest | ProcessVariantsRequest) => repeats.send(request, call),
    sent,
    refuse: (reason: FailureReason) => {
      refusal = reason;
    },
  };
}

describe(createRepeats, () => {
  it('asks by SHA-256 for what was answered before, and sends the bytes of all else', async () => {
    const { send, sent } = started();
    expect(await send(requestOf(image))).toBe('content');
    expect(await send(requestOf(Uint8Array.from(image)))).toBe('sha256');
    await send(requestOf(image, true));
    await send(requestOf(image, true));
    await send(variantsOf(image, true));
    await send(variantsOf(image, true, false));
    await send(variantsOf(image, true, false));
    expect(sent).toEqual([100_000, sha256, 100_000, sha256, 100_000, 100_000, sha256]);
  });

  it.each([
    ['its first byte', 0],
    ['its last byte', 99_999],
  ])('takes an image that differs in %s for another', async (_, at) => {
    const { send, sent } = started();
    await send(requestOf(image));
    await send(requestOf(image.with(at, 1)));
    expect(sent).toEqual([100_000, 100_000]);
  });

  it('asks by the SHA-256 of the very image where it takes two for the same', async () => {
    const { send, sent } = started();
    const other = image.with(50_000, 255);
    await send(requestOf(image));
    await send(requestOf(other));
    expect(sent).toEqual([100_000, hash('sha256', other)]);
    expect(sent[1]).not.toBe(sha256);
  });

  it.each<FailureReason>(['SOURCE_UNKNOWN', 'SOURCE_MISSING'])(
    'sends the bytes when the answer is not known any more: %s',
    async (reason) => {
      const { send, sent, refuse } = started();
      await send(requestOf(image));
      refuse(reason);
      expect(await send(requestOf(image))).toBe('content');
      expect(sent).toEqual([100_000, sha256, 100_000]);
    },
  );

  it('fails as the asking does, when that fails otherwise', async () => {
    const { send, sent, refuse } = started();
    await send(requestOf(image));
    refuse('PROCESSOR_UNAVAILABLE');
    await expect(send(requestOf(image))).rejects.toMatchObject({ reason: 'PROCESSOR_UNAVAILABLE' });
    expect(sent).toEqual([100_000, sha256]);
  });

  it('does not ask again for what has failed', async () => {
    const repeats = createRepeats();
    const sent: unknown[] = [];
    const fails = async ({ source }: ProcessRequest) => {
      sent.push(source.case);
      throw new Failure('IMAGE_CORRUPT', 'no');
    };
    for (let run = 0; run < 2; run++) {
      await expect(repeats.send(requestOf(image), fails)).rejects.toMatchObject({ reason: 'IMAGE_CORRUPT' });
    }
    expect(sent).toEqual(['content', 'content']);
  });

  it('sends short images and URLs at once', async () => {
    const { send, sent } = started();
    const short = requestOf(image.subarray(0, 60_000));
    const url = create(ProcessRequestSchema, { source: { case: 'url', value: 'https://example.com/a.png' } });
    for (const request of [short, short, url, url]) await send(request);
    expect(sent).toEqual([60_000, 60_000, 'https://example.com/a.png', 'https://example.com/a.png']);
  });
});

describe(withoutSha256, () => {
  it('leaves a request by SHA-256 without one, and all others as they are', () => {
    const asked = create(ProcessRequestSchema, {
      source: { case: 'sha256', value: sha256 },
      grayscale: true,
    });
    expect(withoutSha256(asked)).toMatchObject({ source: { case: 'sha256', value: '' }, grayscale: true });
    const sent = requestOf(image);
    expect(withoutSha256(sent)).toBe(sent);
  });
});
