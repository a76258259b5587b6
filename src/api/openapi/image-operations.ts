import type { ApiConfig } from '../config.ts';
import { responseHeaders } from '../response.ts';
import { variantsOption } from '../variants.ts';
import { exampleUrl, formExamples, jsonExamples, urlEncodedExamples } from './examples.ts';
import type { JsonObject } from './json-object.ts';
import {
  passwordParameter,
  passwordSchema,
  queryParameters,
  urlSchema,
  variantsParameter,
  variantsSchema,
} from './options.ts';
import { headerRefs, imageProblems } from './responses.ts';
import { linkParameterList, securityOf } from './security.ts';

/** `GET /v1/images`. */
export function getImage(options: Record<string, JsonObject>, config: ApiConfig): JsonObject {
  const { description, ...schema } = urlSchema;
  return {
    operationId: 'getImage',
    tags: ['Images'],
    summary: 'Processes the image at a URL',
    description:
      'For img elements, links and CDNs: the response can be cached, and revalidated by its entity tag.',
    ...securityOf(config, true),
    parameters: [
      { name: 'url', in: 'query', required: true, description, schema, example: exampleUrl },
      ...queryParameters(options),
      variantsParameter(options),
      ...linkParameterList(config),
      passwordParameter,
      {
        name: 'If-None-Match',
        in: 'header',
        description: 'ETag of a response that the caller already has',
        schema: { type: 'string' },
      },
    ],
    responses: {
      200: imageResponse(),
      304: {
        description: 'The caller already has this response',
        headers: headerRefs(['ETag', 'Cache-Status']),
      },
      ...imageProblems(config),
    },
  };
}

/** `POST /v1/images`. */
export function postImage(options: Record<string, JsonObject>, config: ApiConfig): JsonObject {
  const variants = variantsSchema(options);
  const variantsText = {
    type: 'string',
    description: variants.description,
    contentMediaType: 'application/json',
    contentSchema: variants,
  };
  const urlAndOptions = (ofVariants: JsonObject, others: JsonObject = {}) => ({
    type: 'object',
    properties: {
      url: urlSchema,
      ...options,
      ...others,
      password: passwordSchema,
      [variantsOption]: ofVariants,
    },
    required: ['url'],
    additionalProperties: false,
  });
  const maxLength = config.maxUploadBytes;
  const binary = { type: 'string', contentMediaType: 'application/octet-stream', maxLength };
  return {
    operationId: 'postImage',
    tags: ['Images'],
    summary: 'Processes an image that is sent in the body or downloaded from a URL',
    ...securityOf(config, false),
    description: `At most ${config.maxUploadBytes} bytes. Each option may be given once, in the query or in the body.`,
    parameters: [...queryParameters(options), variantsParameter(options), passwordParameter],
    requestBody: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            description: 'Exactly one of image and url',
            properties: {
              image: { ...binary, description: 'The image file' },
              url: urlSchema,
              ...options,
              password: passwordSchema,
              [variantsOption]: variantsText,
            },
            oneOf: [{ required: ['image'] }, { required: ['url'] }],
            additionalProperties: false,
          },
          encoding: {
            image: { contentType: 'image/*, application/pdf, application/octet-stream' },
            [variantsOption]: { contentType: 'application/json' },
          },
          examples: formExamples,
        },
        // OpenAPI 3.1, 4.8.14.4: of a body that is streamed, maxLength bounds the bytes.
        'image/*': { schema: { maxLength } },
        'application/pdf': { schema: { maxLength } },
        'application/octet-stream': { schema: { maxLength } },
        'application/json': {
          schema: urlAndOptions(variants, {
            preprocessor_config: { ...options.preprocessor_config, type: ['string', 'object'] },
          }),
          examples: jsonExamples,
        },
        'application/x-www-form-urlencoded': {
          schema: urlAndOptions(variantsText),
          examples: urlEncodedExamples,
        },
      },
    },
    responses: { 200: imageResponse(), ...imageProblems(config) },
  };
}

function imageResponse(): JsonObject {
  const bytesOf = (contentMediaType: string, description: string) => ({
    [contentMediaType]: { schema: { type: 'string', contentMediaType, description } },
  });
  const parts = 'With variants or several pages: a part for each, in their order';
  return {
    description:
      'The image or the tensor. With variants or several pages, each is a part with its own headers',
    headers: headerRefs(Object.keys(responseHeaders)),
    content: {
      ...bytesOf('image/jpeg', 'With format=jpeg, or of a JPEG'),
      ...bytesOf('image/png', 'With format=png, or of a PNG'),
      ...bytesOf('image/webp', 'With format=webp, or of a WebP'),
      ...bytesOf('application/x-npy', 'One tensor as numpy.save writes it'),
      ...bytesOf('application/x-npz', 'Tensors by name as numpy.savez writes them'),
      ...bytesOf('application/vnd.safetensors', 'Tensors by name'),
      ...bytesOf(
        'application/octet-stream',
        'The values of a tensor, or a request of the Open Inference Protocol',
      ),
      'application/json': { schema: { type: 'object', description: 'With format=vllm' } },
      ...bytesOf('multipart/mixed', parts),
      ...bytesOf('multipart/form-data', `${parts}, if Accept prefers this type`),
    },
  };
}
