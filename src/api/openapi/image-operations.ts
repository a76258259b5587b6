import type { ApiConfig } from '../config.ts';
import { responseHeaders } from '../response.ts';
import { variantsOption } from '../variants.ts';
import type { JsonObject } from './json-object.ts';
import { queryParameters, urlSchema, variantsParameter, variantsSchema } from './options.ts';
import { headerRefs, imageProblems } from './responses.ts';
import { linkParameterList, securityOf } from './security.ts';

/** `GET /v1/images`. */
export function getImage(options: Record<string, JsonObject>, config: ApiConfig): JsonObject {
  const { description, ...schema } = urlSchema;
  return {
    operationId: 'getImage',
    summary: 'Processes the image at a URL',
    ...securityOf(config, true),
    parameters: [
      { name: 'url', in: 'query', required: true, description, schema },
      ...queryParameters(options),
      variantsParameter(options),
      ...linkParameterList(config),
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
    properties: { url: urlSchema, ...options, ...others, [variantsOption]: ofVariants },
    required: ['url'],
    additionalProperties: false,
  });
  const maxLength = config.maxUploadBytes;
  const binary = { type: 'string', contentMediaType: 'application/octet-stream', maxLength };
  return {
    operationId: 'postImage',
    summary: 'Processes an image that is sent in the body or downloaded from a URL',
    ...securityOf(config, false),
    description: `At most ${config.maxUploadBytes} bytes. Each option may be given once, in the query or in the body.`,
    parameters: [...queryParameters(options), variantsParameter(options)],
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
              [variantsOption]: variantsText,
            },
            oneOf: [{ required: ['image'] }, { required: ['url'] }],
            additionalProperties: false,
          },
        },
        // OpenAPI 3.1, 4.8.14.4: of a body that is streamed, maxLength bounds the bytes.
        'image/*': { schema: { maxLength } },
        'application/octet-stream': { schema: { maxLength } },
        'application/json': {
          schema: urlAndOptions(variants, {
            preprocessor_config: { ...options.preprocessor_config, type: ['string', 'object'] },
          }),
        },
        'application/x-www-form-urlencoded': { schema: urlAndOptions(variantsText) },
      },
    },
    responses: { 200: imageResponse(), ...imageProblems(config) },
  };
}

function imageResponse(): JsonObject {
  return {
    description: 'The image or the tensor. With variants, each is a part with its own headers',
    headers: headerRefs(Object.keys(responseHeaders)),
    content: {
      'image/jpeg': {},
      'image/png': {},
      'image/webp': {},
      'application/octet-stream': {},
      'application/x-npy': {},
      'application/vnd.safetensors': {},
      'application/x-npz': {},
      'application/json': {},
      'multipart/mixed': {},
    },
  };
}
