import {
  getMultipartBoundary,
  MaxFileSizeExceededError,
  MaxHeaderSizeExceededError,
  MaxPartsExceededError,
  type MultipartPart,
  parseMultipart,
} from '@remix-run/multipart-parser';
import { Failure } from '../failures.ts';
import type { ImageSource, Said } from './options.ts';
import { imageTooLong } from './request-body.ts';

/** Every option, `image` and `url`, and then some. */
const maxParts = 64;
const maxPartHeaderBytes = 8 * 1024;
/** A URL or an option's value. */
const maxTextBytes = 8 * 1024;

/**
 * Reads a multipart form: the file in `image` or a text field `url`, and options in the other fields. The
 * file is a view of `body`, not a copy.
 *
 * @throws Failure MULTIPART_INVALID, SOURCE_MISSING, SOURCE_BYTES_OVER_LIMIT
 */
export function parseForm(body: Buffer, contentType: string, maxFileBytes: number): Said {
  const boundary = getMultipartBoundary(contentType);
  if (boundary === null) {
    throw new Failure(
      'MULTIPART_INVALID',
      'The Content-Type has no boundary; let the HTTP client write that header itself.',
    );
  }
  if (body.length === 0) throw new Failure('MULTIPART_INVALID', 'The body is empty.');
  const sources: ImageSource[] = [];
  const options: [name: string, text: string][] = [];
  try {
    for (const part of parseMultipart(body, {
      boundary,
      maxParts,
      maxHeaderSize: maxPartHeaderBytes,
      maxFileSize: maxFileBytes,
      maxTotalSize: body.length,
    })) {
      const name = part.name;
      if (name === undefined) throw new Failure('MULTIPART_INVALID', 'A part of the body has no name.');
      // What a browser sends for a file field in which nothing was chosen.
      if (part.isFile && !part.filename && part.size === 0) continue;
      if (name === 'image') sources.push({ case: 'content', value: contentOf(part) });
      else if (part.isFile) throw misplacedFile(name);
      else if (name !== 'url') options.push([name, textOf(part, name)]);
      else if (part.size > 0) sources.push({ case: 'url', value: textOf(part, name) });
    }
  } catch (error) {
    throw error instanceof Failure ? error : brokenForm(error, body.length, maxFileBytes);
  }
  return { sources, options };
}

function contentOf(part: MultipartPart): Uint8Array {
  const [only, ...more] = part.content;
  return only !== undefined && more.length === 0 ? only : part.bytes;
}

function textOf(part: MultipartPart, name: string): string {
  if (part.size <= maxTextBytes) return part.text;
  throw new Failure(
    'MULTIPART_INVALID',
    `The field "${name.slice(0, 100)}" has ${part.size} bytes; at most ${maxTextBytes} are taken. A file belongs in the field "image".`,
    { limit: maxTextBytes, actual: part.size },
  );
}

function misplacedFile(name: string): Failure {
  return new Failure(
    'SOURCE_MISSING',
    `The file is in the field "${name.slice(0, 100)}"; send it in the field "image".`,
    { actual: name.slice(0, 100), allowed: 'image' },
  );
}

function brokenForm(cause: unknown, bodyBytes: number, maxFileBytes: number): Failure {
  if (cause instanceof MaxFileSizeExceededError) return imageTooLong(bodyBytes, maxFileBytes);
  if (cause instanceof MaxPartsExceededError) {
    return new Failure(
      'MULTIPART_INVALID',
      `The body has more than ${maxParts} parts.`,
      { limit: maxParts },
      { cause },
    );
  }
  if (cause instanceof MaxHeaderSizeExceededError) {
    return new Failure(
      'MULTIPART_INVALID',
      `A part's header is longer than ${maxPartHeaderBytes} bytes.`,
      { limit: maxPartHeaderBytes },
      { cause },
    );
  }
  return new Failure(
    'MULTIPART_INVALID',
    'The body is not multipart/form-data with the boundary that its Content-Type names, or it was cut off, or its text is not UTF-8.',
    {},
    { cause },
  );
}
