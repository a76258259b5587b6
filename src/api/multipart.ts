import { joinLists } from '../options/parse-options.ts';
import { takePasswords } from './document-password.ts';
import { type FormPart, misplacedFile, readForm } from './form-parts.ts';
import { imageTooLong } from './request-body.ts';
import type { ImageSource, RequestPart } from './request-part.ts';

/**
 * Reads a multipart form: the file in `image` or a text field `url`, and options in the other fields. The
 * file is a view of `body`, not a copy.
 *
 * @throws Failure MULTIPART_INVALID, SOURCE_MISSING, SOURCE_BYTES_OVER_LIMIT
 */
export function parseForm(body: Buffer, contentType: string, maxFileBytes: number): RequestPart {
  const files = { maxBytes: maxFileBytes, tooLong: (bytes: number) => imageTooLong(bytes, maxFileBytes) };
  return readForm(body, contentType, files, readParts);
}

function readParts(parts: Iterable<FormPart>): RequestPart {
  const sources: ImageSource[] = [];
  const options: [name: string, text: string][] = [];
  for (const part of parts) {
    const { name } = part;
    if (name === 'image') sources.push({ case: 'content', value: part.content() });
    else if (part.isMisplacedFile) throw misplacedFile(name, ['image']);
    else if (name !== 'url') options.push([name, part.text()]);
    else if (part.size > 0) sources.push({ case: 'url', value: part.text() });
  }
  const { passwords, options: others } = takePasswords(options);
  return { sources, options: joinLists(others), passwords };
}
