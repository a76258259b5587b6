import { isUtf8 } from 'node:buffer';
import {
  getMultipartBoundary,
  MaxFileSizeExceededError,
  MaxHeaderSizeExceededError,
  MaxPartsExceededError,
  type MultipartPart,
  parseMultipart,
} from '@remix-run/multipart-parser';
import { Failure } from '../failures.ts';
import { imageOptionNames } from '../options/image-options.ts';
import { passwordName } from '../options/parse-options.ts';
import { variantsOption } from './variants.ts';

/** Enough for every option, `image`, `url` and some more; and for the files of 16 pairs with their options. */
const maxParts = 64;
const maxPartHeaderBytes = 8 * 1024;
/** A URL or an option's value. */
const maxTextBytes = 8 * 1024;
/** A preprocessor config, or the options of all variants. */
const maxJsonBytes = 64 * 1024;

const jsonFields: readonly string[] = ['preprocessor_config', variantsOption];
/** Fields of text, also where a client sends them as files: `-F preprocessor_config=@file`, or requests' `files=`. */
const textFields: readonly string[] = [...imageOptionNames, ...jsonFields, passwordName, 'url'];

/** A part of a form that has a name. */
export interface FormPart {
  readonly name: string;
  /** A field that is not meant for a file contains one. */
  readonly isMisplacedFile: boolean;
  readonly size: number;
  /** The bytes, as a view of the body where that is possible. */
  content(): Uint8Array;
  /** @throws Failure MULTIPART_INVALID for text that is too long */
  text(): string;
}

/** The limit of one file. */
export interface FileLimit {
  readonly maxBytes: number;
  /** @param bodyBytes - of the form with a longer file */
  tooLong(bodyBytes: number): Failure;
}

/**
 * Reads multipart/form-data. Files are views of `body`, not copies.
 *
 * @param read - makes something of the parts, in their order; it may be called twice
 * @throws Failure MULTIPART_INVALID, SOURCE_BYTES_OVER_LIMIT, and what `read` throws
 */
export function readForm<Form>(
  body: Buffer,
  contentType: string,
  files: FileLimit,
  read: (parts: Iterable<FormPart>) => Form,
): Form {
  const boundary = getMultipartBoundary(contentType)?.trim();
  if (boundary === undefined) {
    throw new Failure(
      'MULTIPART_INVALID',
      'The Content-Type has no boundary; let the HTTP client write that header itself.',
    );
  }
  if (body.length === 0) throw new Failure('MULTIPART_INVALID', 'The body is empty.');
  const form = fromFirstBoundary(body, boundary);
  try {
    return readLeniently(form, boundary, () => read(partsOf(form, boundary, files.maxBytes)));
  } catch (error) {
    throw error instanceof Failure ? error : brokenForm(error, body.length, files);
  }
}

/** The parser refuses text that is not UTF-8, by a TypeError. In a header it is a file's name, which is not used. */
function readLeniently<Form>(form: Buffer, boundary: string, read: () => Form): Form {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    maskForeignText(form, boundary);
    return read();
  }
}

function* partsOf(form: Buffer, boundary: string, maxFileBytes: number): Generator<FormPart> {
  for (const part of parseMultipart(form, {
    boundary,
    maxParts,
    maxHeaderSize: maxPartHeaderBytes,
    maxFileSize: maxFileBytes,
    maxTotalSize: form.length,
  })) {
    const { name, isFile, filename, size } = part;
    if (name === undefined) throw new Failure('MULTIPART_INVALID', 'A part of the body has no name.');
    // Browsers send this for a file field without a chosen file.
    if (isFile && !filename && size === 0) continue;
    yield {
      name,
      isMisplacedFile: isFile && !textFields.includes(name),
      size,
      content: () => contentOf(part),
      text: () => textOf(part, name),
    };
  }
}

/** The body from its first delimiter on: what stands before it has no meaning (RFC 2046, 5.1.1). */
function fromFirstBoundary(body: Buffer, boundary: string): Buffer {
  const delimiter = `--${boundary}`;
  if (body.indexOf(delimiter, 0, 'latin1') === 0) return body;
  const at = body.indexOf(`\n${delimiter}`, 0, 'latin1');
  return at < 0 ? body : body.subarray(at + 1);
}

/** Writes question marks over what is not ASCII in headers that are not UTF-8, as a file's name in Latin-1 or Shift-JIS. */
function maskForeignText(form: Buffer, boundary: string): void {
  const delimiter = `--${boundary}\r\n`;
  let at = 0;
  for (let parts = 0; at >= 0 && parts < maxParts; parts++) {
    const start = at + delimiter.length;
    const end = form.indexOf('\r\n\r\n', start, 'latin1');
    if (end < 0) return;
    const header = form.subarray(start, end);
    if (!isUtf8(header)) maskHighBytes(header);
    const next = form.indexOf(`\r\n${delimiter}`, end, 'latin1');
    at = next < 0 ? next : next + 2;
  }
}

/** The second byte of a character in Shift-JIS may be a backslash, which would escape the quote after it. */
function maskHighBytes(header: Buffer): void {
  for (const [at, byte] of header.entries()) {
    if (byte < 0x80) continue;
    header[at] = questionMark;
    if (header[at + 1] === backslash) header[at + 1] = questionMark;
  }
}

const questionMark = 0x3f;
const backslash = 0x5c;

function contentOf(part: MultipartPart): Uint8Array {
  const [only, ...more] = part.content;
  return only !== undefined && more.length === 0 ? only : part.bytes;
}

function textOf(part: MultipartPart, name: string): string {
  const limit = jsonFields.includes(name) ? maxJsonBytes : maxTextBytes;
  if (part.size <= limit) return withoutBom(part.text);
  throw new Failure(
    'MULTIPART_INVALID',
    `The field "${name.slice(0, 100)}" has ${part.size} bytes; at most ${limit} are taken. A file belongs in the field "image".`,
    { limit, actual: part.size },
  );
}

/** Text without the byte order mark that Windows puts before UTF-8. */
export function withoutBom(text: string): string {
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

/**
 * The failure of a file in a field that takes none.
 *
 * @param fields - those that take files
 */
export function misplacedFile(name: string, fields: readonly string[]): Failure {
  const quoted = fields
    .map((field) => `"${field}"`)
    .join(', ')
    .replace(/, ([^,]*)$/, ' or $1');
  return new Failure(
    'SOURCE_MISSING',
    `The file is in the field "${name.slice(0, 100)}"; send it in the field ${quoted}.`,
    { actual: name.slice(0, 100), allowed: fields.join(', ') },
  );
}

function brokenForm(cause: unknown, bodyBytes: number, files: FileLimit): Failure {
  if (cause instanceof MaxFileSizeExceededError) return files.tooLong(bodyBytes);
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
