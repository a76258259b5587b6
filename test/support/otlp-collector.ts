import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';

/** A span as received. */
export interface CollectedSpan {
  readonly service: string;
  readonly name: string;
  readonly kind: 'internal' | 'server' | 'client';
  readonly traceId: string;
  readonly spanId: string;
  /** Empty if there is none. */
  readonly parentId: string;
  /** Nanoseconds since 1970. */
  readonly start: bigint;
  readonly end: bigint;
  readonly isError: boolean;
  readonly attributes: Readonly<Record<string, string | number>>;
}

/**
 * An OpenTelemetry collector that keeps the spans that it receives by OTLP over HTTP in protobuf.
 *
 * @param status - of its responses; after an error the exporter does not retry
 */
export async function startCollector(status: 200 | 400 = 200) {
  const spans: CollectedSpan[] = [];
  const requests: { readonly path: string; readonly type: string | undefined }[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ path: request.url ?? '', type: request.headers['content-type'] });
    spans.push(...spansOf(await bodyOf(request)));
    response.writeHead(status, { 'content-type': 'application/x-protobuf' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    requests,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const kinds = ['internal', 'internal', 'server', 'client'] as const;
const statusError = 2;

/** opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest, by the field numbers of its proto files. */
function spansOf(request: Uint8Array): CollectedSpan[] {
  return messages(request, 1).flatMap((resourceSpans) => {
    const [resource = new Uint8Array()] = messages(resourceSpans, 1);
    const service = String(attributesOf(resource, 1)['service.name']);
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({
        service,
        traceId: hex(messages(span, 1)[0]),
        spanId: hex(messages(span, 2)[0]),
        parentId: hex(messages(span, 4)[0]),
        name: text(messages(span, 5)[0]),
        kind: kinds[Number(valuesOf(span, 6)[0])] ?? 'internal',
        start: BigInt(valuesOf(span, 7)[0] as bigint),
        end: BigInt(valuesOf(span, 8)[0] as bigint),
        attributes: attributesOf(span, 9),
        isError: messages(span, 15).some((status) => Number(valuesOf(status, 3)[0]) === statusError),
      }));
  });
}

/** KeyValue { key = 1, value = 2 }; AnyValue { string_value = 1, bool_value = 2, int_value = 3, … }. */
function attributesOf(message: Uint8Array, field: number): Record<string, string | number> {
  return Object.fromEntries(
    messages(message, field).map((pair) => {
      const [value = new Uint8Array()] = messages(pair, 2);
      const [words] = messages(value, 1);
      return [text(messages(pair, 1)[0]), words ? text(words) : Number(valuesOf(value, 3)[0])];
    }),
  );
}

function messages(message: Uint8Array, field: number): Uint8Array[] {
  return valuesOf(message, field).filter((value) => value instanceof Uint8Array);
}

function valuesOf(message: Uint8Array, field: number): (Uint8Array | bigint | number | string)[] {
  const reader = new BinaryReader(message);
  const values: (Uint8Array | bigint | number | string)[] = [];
  while (reader.pos < reader.len) {
    const [number, wireType] = reader.tag();
    const value =
      wireType === WireType.LengthDelimited
        ? reader.bytes()
        : wireType === WireType.Bit64
          ? reader.fixed64()
          : wireType === WireType.Bit32
            ? reader.fixed32()
            : reader.uint64();
    if (number === field) values.push(value);
  }
  return values;
}

function hex(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString('hex');
}

function text(bytes: Uint8Array = new Uint8Array()): string {
  return Buffer.from(bytes).toString('utf8');
}
