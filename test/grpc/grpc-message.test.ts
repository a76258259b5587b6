import { create, equals, fromBinary, toBinary } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import {
  ProcessRequestSchema,
  ProcessResponseSchema,
  ProcessVariantsResponseSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { envelopeOf, messageBytes } from '../../src/grpc/grpc-message.ts';

const large = new Uint8Array(100_000).map((_, at) => at * 31);

const content = (value: Uint8Array) => create(ProcessRequestSchema, { source: { case: 'content', value } });

describe(envelopeOf, () => {
  it.each([
    [
      'a large image in a oneof',
      ProcessRequestSchema,
      create(ProcessRequestSchema, {
        source: { case: 'content', value: large },
        grayscale: true,
        preset: 'clip',
      }),
    ],
    ['a small one', ProcessRequestSchema, content(large.subarray(0, 100))],
    [
      'a URL',
      ProcessRequestSchema,
      create(ProcessRequestSchema, { source: { case: 'url', value: 'http://a/' } }),
    ],
  ])('has %s as Protobuf has it', (_, schema, message) => {
    const [envelope, ...pieces] = envelopeOf(schema, message).map((piece) => Buffer.from(piece));
    const bytes = Buffer.concat(pieces);
    expect(envelope).toEqual(
      Buffer.from([0, 0, bytes.length >> 16, (bytes.length >> 8) & 255, bytes.length & 255]),
    );
    expect(equals(schema, fromBinary(schema, bytes), message)).toBe(true);
    expect(bytes.length).toBe(toBinary(schema, message).length);
    expect(Buffer.from(messageBytes(schema, message)).equals(bytes)).toBe(true);
  });

  it('contains a large field outside of a oneof, and copies none of them', () => {
    const message = create(ProcessResponseSchema, { content: large, width: 3, key: 'k' });
    const pieces = envelopeOf(ProcessResponseSchema, message);
    const read = fromBinary(ProcessResponseSchema, Buffer.concat(pieces.slice(1)));
    expect(equals(ProcessResponseSchema, read, message)).toBe(true);
    expect(pieces.some(({ buffer }) => buffer === large.buffer)).toBe(true);
  });
});

describe(envelopeOf, () => {
  it.each([
    ['none', []],
    ['small ones alone', [10, 0]],
    ['a large one', [100_000]],
    ['large ones and small ones', [100_000, 10, 20_000, 0]],
  ])('has a list of messages with %s as Protobuf has it, and copies no large one', (_, lengths) => {
    const message = create(ProcessVariantsResponseSchema, {
      variants: lengths.map((length, at) => ({
        content: large.subarray(0, length),
        width: at,
        key: `k${at}`,
      })),
    });
    const pieces = envelopeOf(ProcessVariantsResponseSchema, message).slice(1);
    const bytes = Buffer.concat(pieces);
    expect(
      equals(ProcessVariantsResponseSchema, fromBinary(ProcessVariantsResponseSchema, bytes), message),
    ).toBe(true);
    expect(bytes.length).toBe(toBinary(ProcessVariantsResponseSchema, message).length);
    const shared = pieces.filter(({ buffer }) => buffer === large.buffer);
    expect(shared.map(({ length }) => length)).toEqual(lengths.filter((length) => length > 16_384));
  });
});
