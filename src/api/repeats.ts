import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { toBinary } from '@bufbuild/protobuf';
import { LRUCache } from 'lru-cache';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessVariantsRequest,
  ProcessVariantsRequestSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';

/** Bytes; what is shorter is sent sooner than asked for. */
const leastBytes = 64 * 1024;

/** Of both ends of an image: where images differ at all, mostly their lengths or their ends do. Bytes. */
const endBytes = 8 * 1024;

/** A hundred bytes each. */
const maxRemembered = 10_000;

/** Requests that come again, whose images need not be sent again. */
export interface Repeats {
  /**
   * Sends a request with its image's SHA-256 instead of the bytes if one like it was answered lately, and with the
   * bytes if none was or the processor doesn't know the answer any more.
   *
   * @throws what `call` throws
   */
  send<Request extends ProcessRequest | ProcessVariantsRequest, Response>(
    request: Request,
    call: (request: Request) => Promise<Response>,
  ): Promise<Response>;
}

/**
 * What a hit costs is its image's way to the processor, and for a hit the image's hash would do. But hashing takes half
 * as long as that way, and asking in vain a trip. So a request is first known again by a checksum of parts of it, which
 * may err: it decides whether to ask, and what is asked for is told by SHA-256.
 */
export function createRepeats(): Repeats {
  const answered = new LRUCache<string, true>({ max: maxRemembered });
  return {
    async send(request, call) {
      const { source } = request;
      if (source.case !== 'content' || source.value.length < leastBytes) return await call(request);
      const likeness = likenessOf(request, source.value);
      if (answered.get(likeness)) {
        try {
          const value = hash('sha256', source.value);
          return await call({ ...request, source: { case: 'sha256', value } });
        } catch (error) {
          if (!(error instanceof Failure) || !isNotKnown(error)) throw error;
        }
      }
      const response = await call(request);
      answered.set(likeness, true);
      return response;
    },
  };
}

/** A processor of an older version sees no source at all. */
function isNotKnown({ reason }: Failure): boolean {
  return reason === 'SOURCE_UNKNOWN' || reason === 'SOURCE_MISSING';
}

function likenessOf(request: ProcessRequest | ProcessVariantsRequest, content: Uint8Array): string {
  const source = { case: undefined };
  const options =
    request.$typeName === 'image.v1.ProcessRequest'
      ? toBinary(ProcessRequestSchema, { ...request, source })
      : toBinary(ProcessVariantsRequestSchema, { ...request, source });
  const ends = crc32(content.subarray(-endBytes), crc32(content.subarray(0, endBytes)));
  return `${crc32(options)} ${ends} ${content.length}`;
}

/**
 * The request of a caller from outside. Who asks by SHA-256 alone gets an answer without having the image, which is
 * for the API itself, that has it: for all others no such image is known.
 */
export function withoutSha256<Request extends ProcessRequest | ProcessVariantsRequest>(
  request: Request,
): Request {
  return request.source.case === 'sha256' ? { ...request, source: { case: 'sha256', value: '' } } : request;
}
