import { hash } from 'node:crypto';
import { create, fromJsonString, toJsonString } from '@bufbuild/protobuf';
import {
  CacheState,
  type ProcessResponse,
  ProcessResponseSchema,
} from '../../../gen/image/v1/processor_pb.ts';

/*
 * A response as an object: its content as the body, all else as JSON in its metadata.
 */

/** Names of the metadata; S3 puts `x-amz-meta-` before them. */
const names = { response: 'image-response', digest: 'image-digest' } as const;

/** S3 takes 2 KB of names and values together. */
const maxMetadataBytes = 1900;

/** Stands for a response that is in the sibling. */
const inSibling = 'sibling';

/**
 * A response without its content as JSON whose characters all may be in a header. The parts that differ for each call, such
 * as its stages, are left out.
 */
export function describe(response: ProcessResponse): string {
  const kept = Object.assign(create(ProcessResponseSchema), response, {
    content: new Uint8Array(),
    cache: CacheState.UNSPECIFIED,
    stages: [],
    storedUri: '',
    storedLink: '',
  });
  return toJsonString(ProcessResponseSchema, kept).replaceAll(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Whether a response is too long for metadata, and so in a sibling of its object. @param json - of `describe` */
export function needsSibling(json: string): boolean {
  return json.length > maxMetadataBytes;
}

/**
 * The metadata of a response's object.
 *
 * @param json - of `describe`
 * @param sha256 - of the content, 32 bytes
 */
export function metadataOf(json: string, sha256: Uint8Array): Readonly<Record<string, string>> {
  return {
    [names.response]: needsSibling(json) ? inSibling : json,
    [names.digest]: digestOf(json, Buffer.from(sha256).toString('hex')),
  };
}

/** Whether an object's response is in its sibling. */
export function isInSibling(metadata: Readonly<Record<string, string>>): boolean {
  return metadata[names.response] === inSibling;
}

/**
 * The response of an object; undefined for one that is damaged, not ours, or of another key. The digest covers content and
 * response with its key, so that neither a part of another object nor a copied object is accepted.
 *
 * @param sibling - the JSON of `describe`, where it is in a sibling
 */
export function fromStored(
  key: string,
  content: Uint8Array,
  metadata: Readonly<Record<string, string>>,
  sibling: Uint8Array | undefined,
): ProcessResponse | undefined {
  const json = sibling === undefined ? metadata[names.response] : Buffer.from(sibling).toString();
  if (json === undefined || metadata[names.digest] !== digestOf(json, hash('sha256', content)))
    return undefined;
  try {
    const response = fromJsonString(ProcessResponseSchema, json, { ignoreUnknownFields: true });
    if (response.key !== key) return undefined;
    response.content = content;
    return response;
  } catch {
    return undefined;
  }
}

function digestOf(json: string, contentSha256: string): string {
  return hash('sha256', `${contentSha256} ${json}`);
}
