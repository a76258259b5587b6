import { createCipheriv, randomBytes } from 'node:crypto';
import { toBinary } from '@bufbuild/protobuf';
import { LRUCache } from 'lru-cache';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
  type ProcessVariantsRequest,
  ProcessVariantsRequestSchema,
  type ProcessVariantsResponse,
} from '../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../failures.ts';

/** Of an image; to send less costs no more than to ask for it. */
const leastBytes = 64 * 1024;

/** Two hundred bytes each. */
const maxRemembered = 10_000;

/** Requests that come again, whose images need not be sent again. */
export interface Repeats {
  /**
   * Sends a request with its image's SHA-256 instead of the bytes if the same was answered lately, and with the
   * bytes if it was not or the processor doesn't know the answer any more.
   *
   * @throws what `call` throws
   */
  send<
    Request extends ProcessRequest | ProcessVariantsRequest,
    Response extends ProcessResponse | ProcessVariantsResponse,
  >(request: Request, call: (request: Request) => Promise<Response>): Promise<Response>;
}

/** What a hit costs is its image's way to the processor, for which the image's hash would do. */
export function createRepeats(): Repeats {
  const tagOf = createTagger();
  /** The image's SHA-256, as the processor told it, by the request's tag. */
  const answered = new LRUCache<string, string>({ max: maxRemembered });
  return {
    async send(request, call) {
      const { source } = request;
      if (source.case !== 'content' || source.value.length < leastBytes) return await call(request);
      const tag = tagOf(optionsOf(request), source.value);
      const sha256 = answered.get(tag);
      if (sha256 !== undefined) {
        try {
          return await call({ ...request, source: { case: 'sha256', value: sha256 } });
        } catch (error) {
          if (!(error instanceof Failure) || !isNotKnown(error)) throw error;
        }
      }
      const response = await call(request);
      const told = sourceOf(response)?.sha256;
      if (told !== undefined) answered.set(tag, told);
      return response;
    },
  };
}

/** A processor of an older version sees no source at all. */
function isNotKnown({ reason }: Failure): boolean {
  return reason === 'SOURCE_UNKNOWN' || reason === 'SOURCE_MISSING';
}

function sourceOf(response: ProcessResponse | ProcessVariantsResponse) {
  return response.$typeName === 'image.v1.ProcessResponse' ? response.source : response.variants[0]?.source;
}

/** All of a request but its image. */
function optionsOf(request: ProcessRequest | ProcessVariantsRequest): Uint8Array {
  const source = { case: undefined };
  return request.$typeName === 'image.v1.ProcessRequest'
    ? toBinary(ProcessRequestSchema, { ...request, source })
    : toBinary(ProcessVariantsRequestSchema, { ...request, source });
}

/**
 * Tags by which equal requests are known again: GMAC of both parts, under a key that nobody knows and that ends with
 * this process. SHA-256 would do as well and take ten times as long, on every miss too.
 *
 * That two requests that somebody has chosen get the same tag has a chance of about 2⁻¹⁰⁰ (NIST SP 800-38D, appendix
 * C: the blocks of the longer by 2¹²⁸), as long as no tag is ever told: so none leaves this process.
 */
function createTagger(): (options: Uint8Array, content: Uint8Array) => string {
  const key = randomBytes(16);
  const nonce = Buffer.alloc(12);
  return (options, content) => {
    const lengths = Buffer.alloc(8);
    lengths.writeUInt32LE(options.length, 0);
    lengths.writeUInt32LE(content.length, 4);
    const mac = createCipheriv('aes-128-gcm', key, nonce);
    for (const part of [lengths, options, content]) mac.setAAD(part);
    mac.final();
    return mac.getAuthTag().toString('base64');
  };
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
