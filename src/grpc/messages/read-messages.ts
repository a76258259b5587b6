import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DescMessage, DescMethod, MessageShape } from '@bufbuild/protobuf';
import { Failure } from '../../failures.ts';
import { type CallFormat, endFlags } from './call-format.ts';
import { compressed, createEnvelopeReader } from './envelope-reader.ts';
import { parseBinary, parseJson } from './parse-message.ts';

/** The longest message of a method. */
export interface MessageLimit {
  readonly maxBytes: number;
  tooLong(bytes: number): Failure;
}

export const timeoutHeaders = {
  connect: 'connect-timeout-ms',
  grpc: 'grpc-timeout',
  'grpc-web': 'grpc-timeout',
} as const;
export const encodingHeaders = ['content-encoding', 'connect-content-encoding', 'grpc-encoding'] as const;

/** @throws Failure REQUEST_INVALID, COMPRESSION_UNSUPPORTED */
export function checkHeaders(header: Headers, format: CallFormat): void {
  const version = header.get('connect-protocol-version');
  if (format.protocol === 'connect' && version !== null && version !== '1') {
    throw invalidHeader('Connect-Protocol-Version', version, '1');
  }
  const timeout = header.get(timeoutHeaders[format.protocol]);
  if (!isTimeout(timeout, format)) {
    const [name, allowed] =
      format.protocol === 'connect'
        ? (['Connect-Timeout-Ms', 'milliseconds in at most 10 digits'] as const)
        : (['grpc-timeout', 'at most 8 digits and a unit of H, M, S, m, u, n'] as const);
    throw invalidHeader(name, timeout ?? '', allowed);
  }
  for (const name of encodingHeaders) {
    const encoding = header.get(name);
    if (encoding !== null && encoding.toLowerCase() !== 'identity') throw compressed(encoding);
  }
}

export function isTimeout(timeout: string | null, { protocol }: CallFormat): boolean {
  return timeout === null || (protocol === 'connect' ? /^\d{1,10}$/ : /^\d{1,8}[HMSmun]$/).test(timeout);
}

function invalidHeader(header: string, actual: string, allowed: string): Failure {
  const shown = actual.slice(0, 100);
  return new Failure('REQUEST_INVALID', `${header} is "${shown}"; allowed: ${allowed}.`, {
    header,
    actual: shown,
    allowed,
  });
}

/** Longest time for which messages of a stream are parsed before others get their turn. */
const turnMs = 20;

/**
 * The messages in a body.
 *
 * @throws Failure what `limit.tooLong` makes, MESSAGE_INVALID, COMPRESSION_UNSUPPORTED, OPTION_INVALID, OPTION_UNKNOWN
 */
export async function* readMessages<Desc extends DescMessage>(
  body: AsyncIterable<Uint8Array>,
  { input, methodKind }: Pick<DescMethod, 'methodKind'> & { readonly input: Desc },
  { protocol, isBinary, isEnveloped }: CallFormat,
  limit: MessageLimit,
): AsyncGenerator<MessageShape<Desc>> {
  const parse = (bytes: Uint8Array) => (isBinary ? parseBinary(input, bytes) : parseJson(input, bytes));
  if (!isEnveloped) {
    yield await parse(await readWhole(body, limit));
    return;
  }
  const reader = createEnvelopeReader({
    endFlag: endFlags[protocol],
    isSingle: methodKind !== 'client_streaming' && methodKind !== 'bidi_streaming',
    checkLength: (bytes) => checkLength(bytes, limit),
  });
  let turnSinceMs = performance.now();
  for await (const chunk of body) {
    for (const bytes of reader.read(chunk)) {
      yield await parse(bytes);
      if (performance.now() - turnSinceMs < turnMs) continue;
      await nextTurn();
      turnSinceMs = performance.now();
    }
  }
  reader.end();
}

async function readWhole(body: AsyncIterable<Uint8Array>, limit: MessageLimit): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    checkLength(bytes, limit);
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
}

/** @throws what `tooLong` makes */
export function checkLength(bytes: number, { maxBytes, tooLong }: MessageLimit): void {
  if (bytes > maxBytes) throw tooLong(bytes);
}
