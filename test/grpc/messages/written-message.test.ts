import { create, fromBinary, toBinary, toJsonString } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  ProcessBatchResponseSchema,
  ProcessRequestSchema,
  ProcessResponseSchema,
  ProcessStreamResponseSchema,
  ProcessVariantsResponseSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { envelopeStart } from '../../../src/grpc/messages/envelope-reader.ts';
import { bytesInFields, sliceBytes, writeMessage } from '../../../src/grpc/messages/written-message.ts';

const pixels = new Uint8Array(2_500_001).map((_, at) => at * 31);
const response = (length: number, key: string) =>
  create(ProcessResponseSchema, { content: pixels.subarray(0, length), width: 3, key });

const messages = [
  ['an empty message', ProcessResponseSchema, create(ProcessResponseSchema)],
  ['a short response', ProcessResponseSchema, response(100, 'short')],
  ['a long response', ProcessResponseSchema, response(2_500_001, 'long')],
  [
    'a list of long and short responses',
    ProcessVariantsResponseSchema,
    create(ProcessVariantsResponseSchema, {
      variants: [2_500_000, 5, 20_000, 0, 1_200_002].map((length) => response(length, `k${length}`)),
    }),
  ],
  [
    'a batch',
    ProcessBatchResponseSchema,
    create(ProcessBatchResponseSchema, { content: pixels, images: [response(0, 'a')] }),
  ],
  [
    'a long response in a oneof of a stream',
    ProcessStreamResponseSchema,
    create(ProcessStreamResponseSchema, {
      id: 'one',
      result: { case: 'response', value: response(2_500_001, 'streamed') },
    }),
  ],
  [
    'a long bytes field in a oneof',
    ProcessRequestSchema,
    create(ProcessRequestSchema, { source: { case: 'content', value: pixels }, grayscale: true }),
  ],
] as const;

describe(writeMessage, () => {
  describe.each(messages)('of %s', (_, schema, message) => {
    it.each([
      ['binary', true],
      ['JSON', false],
    ])('has the bytes of Protobuf in %s, in slices', (_, isBinary) => {
      const whole = isBinary ? toBinary(schema, message) : Buffer.from(toJsonString(schema, message));
      const written = writeMessage(schema, message, { isBinary, isEnveloped: false });
      const slices = [...written.slices()];
      expect(written.bytes).toBe(whole.length);
      expect(slices.filter(({ length }) => length > sliceBytes)).toEqual([]);
      expect(whole.length > sliceBytes || slices.length === 1).toBe(true);
      const bytes = Buffer.concat(slices);
      if (isBinary) expect(fieldsOf(schema, bytes)).toBe(fieldsOf(schema, whole));
      else expect(bytes.equals(whole)).toBe(true);
    });
  });

  it('precedes a message with its envelope', () => {
    const message = response(2_000_000, 'enveloped');
    const plain = writeMessage(ProcessResponseSchema, message, { isBinary: true, isEnveloped: false });
    const enveloped = writeMessage(ProcessResponseSchema, message, { isBinary: true, isEnveloped: true });
    expect(enveloped.bytes).toBe(plain.bytes + 5);
    const expected = Buffer.concat([envelopeStart(plain.bytes), ...plain.slices()]);
    expect(Buffer.concat([...enveloped.slices()]).equals(expected)).toBe(true);
  });

  it('copies no large field in the binary format', () => {
    const message = response(2_000_000, 'k');
    const { slices } = writeMessage(ProcessResponseSchema, message, { isBinary: true, isEnveloped: true });
    const shared = [...slices()].filter(({ buffer }) => buffer === pixels.buffer);
    expect(shared.map(({ length }) => length)).toEqual([sliceBytes, 2_000_000 - sliceBytes]);
  });

  it('leaves the message unchanged', () => {
    const message = response(2_000_000, 'k');
    writeMessage(ProcessResponseSchema, message, { isBinary: false, isEnveloped: false });
    expect(message.content.length).toBe(2_000_000);
  });
});

/** A message independent of the order of its fields. */
function fieldsOf(schema: (typeof messages)[number][1], bytes: Uint8Array): string {
  return toJsonString(schema, fromBinary(schema, bytes));
}

describe(bytesInFields, () => {
  it.each(messages)('is the length without the other fields: %s', (_, schema, message) => {
    const others = toBinary(schema, message).length - bytesInFields(schema, message);
    expect(others).toBeGreaterThanOrEqual(0);
    expect(others).toBeLessThan(200);
  });
});
