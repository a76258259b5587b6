import { create } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  type ProcessVariantsRequest,
  SourceOptionsSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import type { OptionTexts } from '../options/parse-options.ts';
import { passwordName } from '../options/parse-options.ts';
import type { ApiContext } from './context.ts';

/*
 * The password of an encrypted document. It is no option: a form, JSON or a header contains it, a query never. No message
 * and no log line repeats it.
 */

/** The header with the password, in UTF-8. */
export const passwordHeader = 'X-Document-Password';

/** Takes the passwords out of the texts of a body. An empty one counts as none, as browsers send an empty field. */
export function takePasswords(texts: OptionTexts): {
  readonly passwords: readonly string[];
  readonly options: OptionTexts;
} {
  return {
    passwords: texts.flatMap(([name, text]) => (name === passwordName && text !== '' ? [text] : [])),
    options: texts.filter(([name]) => name !== passwordName),
  };
}

/**
 * The password of a request: from its header or its body.
 *
 * @param inBody - the passwords of the body
 * @throws Failure OPTION_INVALID if there are several
 */
export function passwordOf(c: ApiContext, inBody: readonly string[]): string | undefined {
  const inHeader = c.req.header(passwordHeader);
  const [password, ...others] = [...(inHeader ? [utf8OfHeader(inHeader)] : []), ...inBody];
  if (others.length > 0) {
    throw new Failure('OPTION_INVALID', `The password is given ${others.length + 1} times; give it once.`, {
      option: passwordName,
      limit: 1,
    });
  }
  // The response is for callers that know the password, so no cache may keep it.
  if (password !== undefined) c.set('isConfidential', true);
  return password;
}

/** Node reads headers as Latin-1. Text that is no UTF-8 stays as it is. */
function utf8OfHeader(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
}

/** Adds the password to a request, or to each of its variants. */
export function addPassword(
  message: ProcessRequest | ProcessVariantsRequest,
  password: string | undefined,
): void {
  if (password === undefined) return;
  const requests = message.$typeName === 'image.v1.ProcessVariantsRequest' ? message.variants : [message];
  for (const request of requests) {
    request.sourceOptions ??= create(SourceOptionsSchema);
    request.sourceOptions.password = password;
  }
}
