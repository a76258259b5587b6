import { type DescMessage, fromJsonString, toJsonString } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ProcessBatchRequestSchema,
  ProcessRequestSchema,
  ProcessStreamRequestSchema,
  ProcessStreamResponseSchema,
  ProcessVariantsRequestSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import {
  maxDepth,
  maxJsonBytes,
  maxTextBytes,
  maxValues,
} from '../../../src/grpc/messages/message-limits.ts';
import { parseJson } from '../../../src/grpc/messages/parse-message.ts';
import { anyMessage } from '../../support/any-message.ts';
import { failureOfPromise } from '../../support/failure.ts';

const schemas: readonly DescMessage[] = [
  ProcessRequestSchema,
  ProcessBatchRequestSchema,
  ProcessVariantsRequestSchema,
  ProcessStreamRequestSchema,
  ProcessStreamResponseSchema,
];

const parse = (json: string, schema: DescMessage = ProcessRequestSchema) =>
  parseJson(schema, Buffer.from(json));
const refusalOf = (json: string | Buffer, schema: DescMessage = ProcessRequestSchema) =>
  failureOfPromise(parseJson(schema, Buffer.from(json as string)));

describe(parseJson, () => {
  it('reads every message that protobuf-es writes', async () => {
    const spaces = fc.constantFrom(undefined, 2, '\t');
    await fc.assert(
      fc.asyncProperty(
        anyMessage(schemas),
        spaces,
        fc.boolean(),
        async ([schema, message], prettySpaces, useProtoFieldName) => {
          const json = toJsonString(schema, message, { prettySpaces: 0, useProtoFieldName });
          const spaced = JSON.stringify(JSON.parse(json), undefined, prettySpaces);
          expect(await parse(spaced, schema)).toEqual(fromJsonString(schema, spaced));
        },
      ),
    );
  });

  it('accepts nothing that protobuf-es cannot read, and fails with our own messages', async () => {
    const damaged = fc
      .tuple(anyMessage(schemas), fc.nat(), fc.nat(3), fc.string({ maxLength: 3 }))
      .map(([[schema, message], at, removed, inserted]): [DescMessage, string] => {
        const json = toJsonString(schema, message);
        const from = at % json.length;
        return [schema, json.slice(0, from) + inserted + json.slice(from + removed)];
      });
    const anyJson = fc.tuple(fc.constantFrom(...schemas), fc.json());
    let accepted = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, anyJson), async ([schema, json]) => {
        const failure = await refusalOf(json, schema);
        if (failure === undefined) {
          accepted++;
          fromJsonString(schema, Buffer.from(json).toString());
        } else {
          expect(['MESSAGE_INVALID', 'OPTION_INVALID', 'OPTION_UNKNOWN']).toContain(failure.reason);
          expect(failure.message).not.toMatch(/cannot decode|expected|Unexpected|from JSON:/);
        }
      }),
      { numRuns: 1000 },
    );
    expect(accepted).toBeGreaterThan(100);
  });

  const bytes = Buffer.from(Array.from({ length: 3_000_001 }, (_, at) => (at * 31) >> 3));

  it.each<[what: string, base64: string]>([
    ['base64', bytes.toString('base64')],
    ['base64 without padding', bytes.toString('base64').replace(/=+$/, '')],
    ['base64url', bytes.toString('base64url')],
    ['lines', bytes.toString('base64').replace(/.{76}/g, '$&\\n')],
    ['escaped slashes', bytes.toString('base64').replaceAll('/', '\\/')],
    ['escaped characters', bytes.toString('base64').replaceAll('A', '\\u0041')],
  ])('reads megabytes of %s', async (_, base64) => {
    const one = `{"content":"${base64}","preset":"x"}`;
    const request = await parseJson(ProcessRequestSchema, Buffer.from(one));
    expect(bytes.equals(request.source.value as Uint8Array)).toBe(true);
    expect(request.preset).toBe('x');
    const batch = await parseJson(ProcessBatchRequestSchema, Buffer.from(`{"requests":[${one},${one}]}`));
    expect(bytes.equals(batch.requests[1]?.source.value as Uint8Array)).toBe(true);
  });

  it('lets other work run while it decodes megabytes', async () => {
    const body = Buffer.from(`{"content":"${Buffer.alloc(8_000_000).toString('base64')}"}`);
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    await parseJson(ProcessRequestSchema, body);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });

  it('reads long text with escapes', async () => {
    const config = JSON.stringify({ size: 'é"\\\u0001'.repeat(5000) });
    const request = await parseJson(
      ProcessRequestSchema,
      Buffer.from(JSON.stringify({ preprocessorConfig: config })),
    );
    expect(request.preprocessorConfig).toBe(config);
  });

  it.each<[what: string, json: string, option: string, nearest: string | undefined]>([
    ['at the top', '{"greyscale":true}', 'greyscale', 'grayscale'],
    ['of another message', '{"width":224}', 'width', undefined],
    ['within', '{"resize":{"widht":224}}', 'resize.widht', 'width'],
    ['that is long', `{"${'x'.repeat(5000)}":1}`, `${'x'.repeat(100)}`, undefined],
  ])('refuses an unknown field %s by its name', async (_, json, option, nearest) => {
    const failure = await refusalOf(json);
    expect(failure?.reason).toBe('OPTION_UNKNOWN');
    expect(failure?.metadata.option).toBe(option);
    expect(failure?.metadata.nearest).toBe(nearest);
  });

  it.each<[what: string, json: string, option: string, allowed: RegExp]>([
    ['a number for text', '{"url":5}', 'url', /a string/],
    ['text for a number', '{"resize":{"width":"wide"}}', 'width', /whole number/],
    ['a negative size', '{"resize":{"width":-1}}', 'width', /whole number/],
    ['text for a boolean', '{"grayscale":"yes"}', 'grayscale', /true or false/],
    ['an unknown name of an enum', '{"resize":{"fit":"FIT_SQUARE"}}', 'resize.fit', /FIT_FILL/],
    ['text for a message', '{"resize":"224"}', 'resize', /an object/],
    ['a list for a message', '{"resize":[224]}', 'resize', /an object/],
    ['text for a list', '{"tensor":{"mean":"0.5"}}', 'mean', /a list/],
    ['no base64', '{"content":"!"}', 'content', /base64/],
    ['no base64, and long', `{"content":"${'!'.repeat(10_000)}"}`, 'content', /base64/],
    ['two sources', '{"url":"a","sha256":"b"}', 'source', /content, url, sha256/],
  ])('refuses %s by the field', async (_, json, option, allowed) => {
    const failure = await refusalOf(json);
    expect(failure?.reason).toBe('OPTION_INVALID');
    expect(failure?.metadata.option).toBe(option);
    expect(failure?.metadata.allowed).toMatch(allowed);
  });

  it.each<[what: string, json: string | Buffer]>([
    ['nothing', ''],
    ['half of it', '{"url":"a'],
    ['no JSON', 'url=a'],
    ['an array', '[]'],
    ['a key twice', '{"url":"a","url":"b"}'],
    ['a key twice, once with an escape', '{"url":"a","\\u0075rl":"b"}'],
    ['bytes that are not UTF-8', Buffer.from('{"url":"\xff"}', 'latin1')],
    ['bytes that are not UTF-8 in a long string', Buffer.from(`{"url":"${'\xff'.repeat(5000)}"}`, 'latin1')],
  ])('refuses %s', async (_, json) => {
    expect((await refusalOf(json))?.reason).toBe('MESSAGE_INVALID');
  });

  it.each<[what: string, json: string, limit: number]>([
    ['depth', `{"x":${'['.repeat(1e6)}`, maxDepth],
    ['depth of objects', '{"resize":'.repeat(1e5), maxDepth],
    ['values', `{"tensor":{"mean":[${'1,'.repeat(maxValues)}1]}}`, maxValues],
    ['members', `{${Array.from({ length: maxValues }, (_, at) => `"${at}":1`)}}`, maxValues],
    ['escaped quotes', `{"url":"${'\\"'.repeat(maxValues)}"}`, maxValues],
    ['white space', `{${' '.repeat(maxJsonBytes)}}`, maxJsonBytes],
    ['digits', `{"quality":${'1'.repeat(maxJsonBytes)}}`, maxJsonBytes],
  ])('bounds %s', async (_, json, limit) => {
    expect(await refusalOf(json)).toMatchObject({
      reason: 'MESSAGE_INVALID',
      metadata: { limit: String(limit), actual: expect.stringMatching(/^\d+$/) },
    });
  });

  it('bounds the length of text', async () => {
    const long = 'x'.repeat(maxTextBytes + 1);
    expect(await refusalOf(`{"preset":"${long}"}`)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'preset', limit: String(maxTextBytes), actual: String(maxTextBytes + 1) },
    });
  });

  it.each<[what: string, schema: DescMessage, json: string, limit: string, actual: string]>([
    ['a batch', ProcessBatchRequestSchema, `{"requests":[${'{},'.repeat(299)}{}]}`, '256', '300'],
    ['variants', ProcessVariantsRequestSchema, `{"variants":[${'{},'.repeat(16)}{}]}`, '16', '17'],
    ['a huge batch', ProcessBatchRequestSchema, `{"requests":[${'{},'.repeat(1e5)}{}]}`, '256', '8191'],
  ])('refuses %s over its count', async (_, schema, json, limit, actual) => {
    expect(await refusalOf(json, schema)).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { limit, actual },
    });
  });
});
