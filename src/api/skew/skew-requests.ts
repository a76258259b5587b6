import { create } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  type SkewRequest,
  SkewRequestSchema,
} from '../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../failures.ts';
import { type ImageDefaults, type ImageOptions, tensorContainers } from '../../options/image-options.ts';
import { processRequest } from '../../options/image-request.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import { parseOptions } from '../../options/parse-options.ts';
import { toleranceField } from '../../options/tolerance.ts';
import type { ApiConfig } from '../config.ts';
import type { ApiContext } from '../context.ts';
import { addPassword, passwordOf, takePasswords } from '../document-password.ts';
import type { Share } from '../memory/held-bytes.ts';
import { mediaTypeOf, refuseContentEncoding, withBytes } from '../request.ts';
import { readBody } from '../request-body.ts';
import type { ImageSource } from '../request-part.ts';
import { formLimit, pairUp } from './pairs.ts';
import { type GivenFile, parseSkewForm, readSettings, type SkewSettings, takeSettings } from './skew-form.ts';

/**
 * Turns a form into the processor's requests, one for each pair of an image and a tensor.
 *
 * @throws Failure SOURCE_MISSING, SOURCE_EMPTY, SOURCE_BYTES_OVER_LIMIT, TENSOR_INVALID, PAIRS_INVALID, OPTION_UNKNOWN,
 *   OPTION_INVALID, CONTENT_TYPE_UNSUPPORTED, MULTIPART_INVALID, OVERLOADED, CANCELLED, DEADLINE_EXCEEDED
 */
export async function readSkewRequests(
  c: ApiContext,
  config: ApiConfig,
  signal: AbortSignal,
  share: Share,
): Promise<readonly SkewRequest[]> {
  const inQuery = [...new URL(c.req.url).searchParams];
  const query = takeSettings(inQuery.filter(([name]) => name !== 'url'));
  // A bad option in the query is refused before megabytes of body are read.
  const queryOptions = parseOptions(query.options);
  const urls = inQuery.flatMap(([name, value]): ImageSource[] =>
    name === 'url' && value !== '' ? [{ case: 'url', value }] : [],
  );
  const contentType = formTypeOf(c);
  const { maxBytes, tooLong } = formLimit(config.maxHeldBytes);
  const body = await readBody(c.env, maxBytes, tooLong, signal, share);
  const form = parseSkewForm(body, contentType, config.maxUploadBytes);
  const { passwords, options: texts } = takePasswords(form.texts);
  const { own, options } = takeSettings(texts);
  const settings = readSettings([query.own, own]);
  const { values } = parseOptions(options, queryOptions);
  const pairs = pairUp([...urls, ...form.sources], form.given);
  const request = processRequest({ case: undefined }, tensorOptions(values), defaultsOf(config));
  addPassword(request, passwordOf(c, passwords));
  return pairs.map(({ source, given }) =>
    create(SkewRequestSchema, {
      request: requestOf(request, source),
      given: givenField(given, settings),
      map: settings.map,
      ...(settings.tolerance && { tolerance: toleranceField(settings.tolerance) }),
    }),
  );
}

/** @throws Failure CONTENT_TYPE_UNSUPPORTED */
function formTypeOf(c: ApiContext): string {
  refuseContentEncoding(c.req.header('content-encoding'));
  const contentType = c.req.header('content-type') ?? '';
  const actual = mediaTypeOf(contentType).slice(0, 100);
  const allowed = 'multipart/form-data';
  if (actual === allowed) return contentType;
  throw new Failure(
    'CONTENT_TYPE_UNSUPPORTED',
    `The Content-Type is "${actual}"; a comparison takes a form of the type ${allowed}, with an image and a tensor.`,
    { actual, allowed },
  );
}

/** The options of the expected tensor. @throws Failure OPTION_INVALID for a request for an image */
function tensorOptions(options: ImageOptions): ImageOptions {
  const { format } = options;
  const isTensor = format === undefined || tensorContainers.some((container) => container === format);
  if (isTensor) return { ...options, format: 'safetensors' };
  const allowed = `unset, or a container of tensors: ${tensorContainers.join(', ')}`;
  throw invalidOption('format', format, allowed);
}

/** `fast` can be a default for people who look at images; its pixels depend on the version of libvips. */
function defaultsOf({ defaults }: ApiConfig): ImageDefaults {
  return { ...defaults, numerics: defaults.numerics === 'fast' ? 'exact' : defaults.numerics };
}

function requestOf(request: ProcessRequest, source: ImageSource): ProcessRequest {
  return { ...request, source: withBytes(source) };
}

/** @throws Failure OPTION_INVALID for settings of a tensor beside a picture */
function givenField(given: GivenFile, { shape, datatype, name }: SkewSettings): SkewRequest['given'] {
  if (given.case === 'tensor') {
    const tensor = { content: given.value, shape: [...shape], datatype, name };
    return create(SkewRequestSchema, { given: { case: 'tensor', value: tensor } }).given;
  }
  if (shape.length > 0) throw invalidOption('shape', shape.join(','), 'only with tensor');
  if (name !== '') throw invalidOption('tensor_name', name, 'only with tensor');
  return { case: 'picture', value: given.value };
}
