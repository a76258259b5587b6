import { create, type DescMessage, fromBinary, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServerReflectionRequestSchema } from '../../../gen/grpc/reflection/v1/reflection_pb.ts';
import {
  ProcessBatchRequestSchema,
  ProcessRequestSchema,
  ProcessStreamRequestSchema,
  ProcessStreamResponseSchema,
  ProcessVariantsRequestSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { maxValues } from '../../../src/grpc/messages/message-limits.ts';
import { parseBinary } from '../../../src/grpc/messages/parse-message.ts';
import { scanBinary } from '../../../src/grpc/messages/scan-binary.ts';
import { anyMessage } from '../../support/any-message.ts';
import { failureOf } from '../../support/failure.ts';

const schemas: readonly DescMessage[] = [
  ProcessRequestSchema,
  ProcessBatchRequestSchema,
  ProcessVariantsRequestSchema,
  ProcessStreamRequestSchema,
  ServerReflectionRequestSchema,
  // Not from a caller, but it has maps and 64-bit numbers.
  ProcessStreamResponseSchema,
];

describe(scanBinary, () => {
  it('accepts every message that protobuf-es writes, and its unknown fields', () => {
    fc.assert(
      fc.property(anyMessage(schemas), fc.uint8Array({ maxLength: 20 }), ([schema, message], unknown) => {
        const bytes = Buffer.concat([
          toBinary(schema, message),
          new BinaryWriter().tag(2000, WireType.LengthDelimited).bytes(unknown).finish(),
        ]);
        expect(parseBinary(schema, bytes)).toEqual(fromBinary(schema, bytes));
      }),
    );
  });

  it('accepts nothing that protobuf-es cannot read, and fails with our own messages', () => {
    const anyBytes = fc.tuple(fc.constantFrom(...schemas), fc.uint8Array({ maxLength: 60 }));
    const damaged = fc
      .tuple(anyMessage(schemas), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }))
      .map(([[schema, message], changes]): [DescMessage, Uint8Array] => {
        const bytes = toBinary(schema, message);
        for (const [at, value] of changes) bytes[at % Math.max(1, bytes.length)] = value;
        return [schema, bytes];
      });
    let accepted = 0;
    fc.assert(
      fc.property(fc.oneof(anyBytes, damaged), ([schema, bytes]) => {
        const failure = failureOf(() => scanBinary(schema, bytes));
        if (failure === undefined) {
          accepted++;
          fromBinary(schema, bytes);
        } else {
          expect(['MESSAGE_INVALID', 'OPTION_INVALID']).toContain(failure.reason);
        }
      }),
      { numRuns: 5000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  it.each<[what: string, schema: DescMessage, bytes: Uint8Array, limit: number, actual: number]>([
    ['a batch', ProcessBatchRequestSchema, Buffer.from('0a00'.repeat(300), 'hex'), 256, 300],
    ['variants', ProcessVariantsRequestSchema, Buffer.from('1a00'.repeat(17), 'hex'), 16, 17],
    ['a huge batch', ProcessBatchRequestSchema, Buffer.from('0a00'.repeat(1e6), 'hex'), 256, maxValues],
  ])('refuses %s over its count', (_, schema, bytes, limit, actual) => {
    expect(failureOf(() => scanBinary(schema, bytes))).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { limit: String(limit), actual: String(actual) },
    });
  });

  it('accepts a batch of 256 images', () => {
    const requests = Array.from({ length: 256 }, () =>
      create(ProcessRequestSchema, { resize: { width: 1 } }),
    );
    const bytes = toBinary(ProcessBatchRequestSchema, create(ProcessBatchRequestSchema, { requests }));
    expect(parseBinary(ProcessBatchRequestSchema, bytes).requests).toHaveLength(256);
  });

  const mean = (values: number) => {
    const tensor = Buffer.concat([
      new BinaryWriter()
        .tag(4, WireType.LengthDelimited)
        .uint32(values * 8)
        .finish(),
      Buffer.alloc(values * 8),
    ]);
    return new BinaryWriter().tag(6, WireType.LengthDelimited).bytes(tensor).finish();
  };

  it.each<[what: string, bytes: Uint8Array]>([
    ['unknown fields', Buffer.from('7800'.repeat(maxValues + 1), 'hex')],
    ['one field again and again', Buffer.from('1a00'.repeat(maxValues + 1), 'hex')],
    ['packed values', mean(maxValues)],
  ])('bounds the number of %s', (_, bytes) => {
    expect(failureOf(() => scanBinary(ProcessRequestSchema, bytes))).toMatchObject({
      reason: 'MESSAGE_INVALID',
      metadata: { limit: String(maxValues), actual: String(maxValues + 1) },
    });
  });

  it.each<[what: string, hex: string]>([
    ['a length beyond the end', '0aff'],
    ['half a varint', 'ff'],
    ['a varint of eleven bytes', '20ffffffffffffffffffff01'],
    ['a field number of 0', '0000'],
    ['a tag of more than 32 bits', 'ffffffff7f00'],
    ['a group', '7b7c'],
    ['the end of a group', '7c'],
    ['wire type 7', '7f'],
    ['another wire type than the field has', '0801'],
    ['a nested message that reaches beyond its parent', '1a02080a'.slice(0, 6)],
    ['half a double', '320219'],
    ['text that is not UTF-8', '1201ff'],
  ])('refuses %s', (_, hex) => {
    const failure = failureOf(() => scanBinary(ProcessRequestSchema, Buffer.from(hex, 'hex')));
    expect(failure).toMatchObject({ reason: 'MESSAGE_INVALID' });
    expect(failure?.message).toContain('image.v1.ProcessRequest');
  });
});
