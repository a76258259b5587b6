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

/** In bytes. Sending a shorter image costs no more than a request by its hash. */
const leastBytes = 64 * 1024;

/** Entries kept; about 200 bytes each, 2 MB in total. */
const maxRemembered = 10_000;

/** Repeated requests, whose images need not be sent again. */
export interface Repeats {
  /**
   * Sends a request with its image's SHA-256 instead of the bytes if an equal request had a response recently, and with
   * the bytes if there was none or the processor no longer has the response.
   *
   * @throws what `call` throws
   */
  send<
    Request extends ProcessRequest | ProcessVariantsRequest,
    Response extends ProcessResponse | ProcessVariantsResponse,
  >(request: Request, call: (request: Request) => Promise<Response>): Promise<Response>;
}

/** Most of the cost of a hit is the transfer of its image to the processor, and the image's hash is enough for it. */
export function createRepeats(): Repeats {
  const tagOf = createTagger();
  /** SHA-256 of the image, as the processor reported it, by the request's tag. */
  const hashes = new LRUCache<string, string>({ max: maxRemembered });
  return {
    async send(request, call) {
      const { source } = request;
      if (source.case !== 'content' || source.value.length < leastBytes) return await call(request);
      const tag = tagOf(optionsOf(request), source.value);
      const sha256 = hashes.get(tag);
      if (sha256 !== undefined) {
        try {
          return await call({ ...request, source: { case: 'sha256', value: sha256 } });
        } catch (error) {
          if (!(error instanceof Failure) || !isNotKnown(error)) throw error;
        }
      }
      const response = await call(request);
      const reported = sourceOf(response)?.sha256;
      if (reported !== undefined) hashes.set(tag, reported);
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

/** A request without its image, serialised. */
function optionsOf(request: ProcessRequest | ProcessVariantsRequest): Uint8Array {
  const source = { case: undefined };
  return request.$typeName === 'image.v1.ProcessRequest'
    ? toBinary(ProcessRequestSchema, { ...request, source })
    : toBinary(ProcessVariantsRequestSchema, { ...request, source });
}

/**
 * Tags that identify equal requests: GMAC of both parts, under a random key that exists only in this process. SHA-256
 * would also work, but takes ten times as long, even on every miss.
 *
 * The chance that two requests chosen by an attacker get the same tag is about 2⁻¹⁰⁰ (NIST SP 800-38D, appendix
 * C: the blocks of the longer by 2¹²⁸), as long as no tag is published. None leaves this process.
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
 * The request of an external caller. A request by SHA-256 gets a response without proof that its caller has the image.
 * So only image-api itself, which has the image, may send one; a caller's hash becomes one that no image has.
 */
export function withoutSha256<Request extends ProcessRequest | ProcessVariantsRequest>(
  request: Request,
): Request {
  return request.source.case === 'sha256' ? { ...request, source: { case: 'sha256', value: '' } } : request;
}
