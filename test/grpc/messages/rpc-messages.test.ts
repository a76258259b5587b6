import { create, fromBinary, fromJson, toBinary } from '@bufbuild/protobuf';
import { createConnectRouter } from '@connectrpc/connect';
import type { UniversalHandler } from '@connectrpc/connect/protocol';
import { describe, expect, it } from 'vitest';
import {
  ProcessorService,
  ProcessRequestSchema,
  ProcessResponseSchema,
  ProcessStreamRequestSchema,
  ProcessStreamResponseSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { type CallFormat, callFormat } from '../../../src/grpc/messages/call-format.ts';
import { createEnvelopeReader, envelopeStart } from '../../../src/grpc/messages/envelope-reader.ts';
import { exchangeMessages, handleCall } from '../../../src/grpc/messages/rpc-messages.ts';
import { sliceBytes } from '../../../src/grpc/messages/written-message.ts';
import { toConnectError } from '../../../src/grpc/rpc-failures.ts';

const content = new Uint8Array(3_000_001).map((_, at) => at * 31);
const lengths = [3_000_001, 10, 2_000_000];

/** The service with responses as long as `request.url` requests; without a URL it fails. */
const router = createConnectRouter({ interceptors: [exchangeMessages] }).service(ProcessorService, {
  process({ source }) {
    if (source.case !== 'url') throw toConnectError(new Error('no URL'));
    return { content: content.subarray(0, Number(source.value)), key: 'k' };
  },
  async *processStream(requests) {
    for await (const { id, request } of requests) {
      const value = { content: content.subarray(0, Number(request?.source.value)), key: id };
      yield { id, result: { case: 'response', value } };
    }
  },
});
const handlerOf = (name: string) =>
  router.handlers.find(({ method }) => method.name === name) as UniversalHandler;

/** Sends one body to a method. @returns the slices of the response, and what was heard of the transfer */
async function call(name: string, contentType: string, body: Uint8Array) {
  const handler = handlerOf(name);
  const heard: string[] = [];
  const response = await handleCall(
    handler,
    {
      httpVersion: '2.0',
      method: 'POST',
      url: `http://a${handler.requestPath}`,
      header: new Headers({ 'content-type': contentType }),
      body: bodyOf(body),
      signal: new AbortController().signal,
    },
    {
      format: callFormat(contentType, handler.method) as CallFormat,
      limit: { maxBytes: 1000, tooLong: () => new Error('too long') as never },
      asError: toConnectError,
      transfer: {
        begin: (bytes) => void heard.push(`begin ${bytes}`),
        progress: (bytes) => void heard.push(`${bytes}`),
        finish: () => void heard.push('finish'),
      },
    },
  );
  const slices: Uint8Array[] = [];
  for await (const slice of response.body ?? []) slices.push(slice);
  return { response, slices, heard, bytes: Buffer.concat(slices) };
}

async function* bodyOf(bytes: Uint8Array) {
  yield bytes;
}

function enveloped(bytes: Uint8Array): Buffer {
  return Buffer.concat([envelopeStart(bytes.length), bytes]);
}

const url = (value: string) => create(ProcessRequestSchema, { source: { case: 'url', value } });

describe(handleCall, () => {
  it('writes a long unary response of Connect in slices, with its length in the header', async () => {
    const body = toBinary(ProcessRequestSchema, url('3000001'));
    const { response, slices, heard, bytes } = await call('Process', 'application/proto', body);
    expect(response.header?.get('content-length')).toBe(String(bytes.length));
    expect(slices.length).toBeGreaterThan(2);
    expect(slices.every(({ length }) => length <= sliceBytes)).toBe(true);
    expect(heard.at(0)).toBe(`begin ${bytes.length}`);
    expect(heard.at(-2)).toBe(String(bytes.length));
    expect(Buffer.compare(fromBinary(ProcessResponseSchema, bytes).content, content)).toBe(0);
  });

  it('writes base64 of a long JSON response in slices', async () => {
    const { slices, bytes } = await call('Process', 'application/json', Buffer.from('{"url":"3000001"}'));
    expect(slices.every(({ length }) => length <= sliceBytes)).toBe(true);
    const read = fromJson(ProcessResponseSchema, JSON.parse(bytes.toString()));
    expect(Buffer.compare(read.content, content)).toBe(0);
  });

  it("leaves a failure in Connect's JSON", async () => {
    const { response, bytes, heard } = await call('Process', 'application/json', Buffer.from('{}'));
    expect(response.status).toBe(500);
    expect(JSON.parse(bytes.toString())).toMatchObject({ code: 'internal' });
    expect(heard).toEqual([]);
  });

  it.each(['application/connect+proto', 'application/grpc-web+proto', 'application/grpc+proto'])(
    'writes the messages of a stream of %s in slices, and its end',
    async (contentType) => {
      const requests = lengths.map((length, at) =>
        create(ProcessStreamRequestSchema, { id: `${at}`, request: url(String(length)) }),
      );
      const body = Buffer.concat(requests.map((one) => enveloped(toBinary(ProcessStreamRequestSchema, one))));
      const { slices, heard, bytes } = await call('ProcessStream', contentType, body);
      expect(slices.every(({ length }) => length <= sliceBytes)).toBe(true);
      expect(heard.filter((one) => one === 'finish').length).toBe(3);
      const endFlag = { 'application/connect+proto': 2, 'application/grpc-web+proto': 128 }[contentType] ?? 0;
      const reader = createEnvelopeReader({ endFlag, isSingle: false, checkLength() {} });
      const messages = [...reader.read(bytes)].map((one) => fromBinary(ProcessStreamResponseSchema, one));
      reader.end();
      expect(messages.map(({ id }) => id)).toEqual(['0', '1', '2']);
      expect(messages.map(({ result }) => result.case === 'response' && result.value.content.length)).toEqual(
        lengths,
      );
    },
  );
});
