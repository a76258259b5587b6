import { ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { type FailureReason, failureKinds } from '../failures.ts';
import { describeOption } from '../options/combinations.ts';
import { imageOptionNames, imageOptions, maxVariants } from '../options/image-options.ts';
import type { ApiConfig } from './config.ts';
import { problemPath } from './problem.ts';
import { answerHeaders } from './response.ts';
import { variantsOption } from './variants.ts';

type JsonObject = { readonly [key: string]: unknown };

/** Reasons that belong to another interface, a path, a moment or HTTP itself, and not to an image. */
const notOfImages: readonly FailureReason[] = [
  'MESSAGE_INVALID',
  'COMPRESSION_UNSUPPORTED',
  'REQUEST_INVALID',
  'REQUEST_TIMEOUT',
  'CHUNK_EXTENSIONS_TOO_LARGE',
  'EXPECTATION_UNSUPPORTED',
  'HEADERS_TOO_LARGE',
  'ROUTE_UNKNOWN',
  'METHOD_NOT_ALLOWED',
  'CANCELLED',
  'DRAINING',
];

const reasonsOfGate: readonly FailureReason[] = ['UNAUTHENTICATED', 'RATE_LIMITED'];
const reasonsOfStreams: readonly FailureReason[] = ['STREAMS_OVER_LIMIT', 'STREAM_IDLE'];
const reasonsOfLinks: readonly FailureReason[] = ['SIGNATURE_INVALID', 'LINK_EXPIRED'];

/**
 * The API as an OpenAPI 3.1 document: options from the schemas that read them, failures from the table
 * that makes them, defaults from this instance's environment.
 */
export function describeApi(config: ApiConfig): JsonObject {
  const options = optionSchemas(config);
  const security = describeSecurity(config);
  const image = { get: describeGet(options, config), post: describePost(options, config) };
  return {
    openapi: '3.1.1',
    info: {
      title: 'image-api',
      version: 'v1',
      summary:
        'Scales images and turns them gray in front of ML models, with the pixels that the model was trained on.',
    },
    paths: {
      '/v1/images': image,
      ...describeConnectDoor(config),
      '/healthz': { get: describeProbe('alive', 'Whether this process runs', {}) },
      '/readyz': {
        get: describeProbe(
          'ready',
          'Whether a processor answers',
          problemResponses(['PROCESSOR_UNAVAILABLE', 'DRAINING']),
        ),
      },
      '/metrics': {
        get: {
          operationId: 'metrics',
          summary: 'Figures for Prometheus',
          responses: { 200: { description: 'Prometheus text format', content: { 'text/plain': {} } } },
        },
      },
      '/openapi.json': {
        get: {
          operationId: 'openapi',
          summary: 'This document',
          responses: { 200: { description: 'OpenAPI 3.1', content: { 'application/json': {} } } },
        },
      },
      [`${problemPath}/{reason}`]: { get: describeProblemRoute() },
    },
    components: {
      schemas: { Problem: problemSchema() },
      ...(Object.keys(security).length === 0 ? {} : { securitySchemes: security }),
      headers: Object.fromEntries(
        Object.entries(answerHeaders).map(([name, description]) => [
          name,
          { description, schema: { type: 'string' } },
        ]),
      ),
    },
  };
}

/** Each option's JSON schema, with the default of this instance. */
function optionSchemas({ defaults }: ApiConfig): Record<string, JsonObject> {
  const defaultOf: JsonObject = defaults;
  return Object.fromEntries(
    imageOptionNames.map((name) => [
      name,
      {
        description: describeOption(name),
        ...imageOptions[name].kind.schema,
        ...(defaultOf[name] === undefined ? {} : { default: defaultOf[name] }),
      },
    ]),
  );
}

const urlSchema = {
  type: 'string',
  format: 'uri',
  description: 'http or https URL of the image, at a public address; the processor downloads it',
};

function queryParameters(options: Record<string, JsonObject>): JsonObject[] {
  return Object.entries(options).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    description,
    schema,
  }));
}

/** The option that asks for several answers: a JSON list of the others. */
function variantsSchema(options: Record<string, JsonObject>): JsonObject {
  return {
    type: 'array',
    minItems: 1,
    maxItems: maxVariants,
    items: { type: 'object', properties: options, additionalProperties: false },
    description:
      'Several answers of the one image, at the cost of one decoding: the options of each, beside which the others hold for all. The answer is multipart/mixed then, with a part for each',
  };
}

function variantsParameter(options: Record<string, JsonObject>): JsonObject {
  const { description, ...schema } = variantsSchema(options);
  return { name: variantsOption, in: 'query', description, content: { 'application/json': { schema } } };
}

/** How callers say who they are, as far as this instance asks for it. */
function describeSecurity({ apiKeysFile, linkSecretsFile }: ApiConfig): Record<string, JsonObject> {
  return {
    ...(apiKeysFile !== undefined && {
      bearerKey: { type: 'http', scheme: 'bearer', description: 'The API key' },
      headerKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The API key' },
    }),
    ...(linkSecretsFile !== undefined && {
      signedLink: {
        type: 'apiKey',
        in: 'query',
        name: 'signature',
        description: 'HMAC-SHA-256 of the path and all other query parameters, with expires among them',
      },
    }),
  };
}

/** The schemes, any one of which lets a caller in; nothing where nobody is asked. */
function securityOf(config: ApiConfig, isLink: boolean): JsonObject {
  const names = Object.keys(describeSecurity(config)).filter((name) => isLink || name !== 'signedLink');
  return names.length === 0 ? {} : { security: names.map((name) => ({ [name]: [] })) };
}

function linkParameterList({ linkSecretsFile }: ApiConfig): JsonObject[] {
  if (linkSecretsFile === undefined) return [];
  return [
    {
      name: 'expires',
      in: 'query',
      description: 'Until when a signed link is good, in seconds since 1970',
      schema: { type: 'integer' },
    },
  ];
}

function describeGet(options: Record<string, JsonObject>, config: ApiConfig): JsonObject {
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
        description: 'ETag of the answer that the caller has',
        schema: { type: 'string' },
      },
    ],
    responses: {
      200: imageResponse(),
      304: { description: 'The caller has this answer', headers: headerRefs(['ETag', 'Cache-Status']) },
      ...imageProblems(config),
    },
  };
}

function describePost(options: Record<string, JsonObject>, config: ApiConfig): JsonObject {
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
  const binary = { type: 'string', contentMediaType: 'application/octet-stream' };
  return {
    operationId: 'postImage',
    summary: 'Processes an image that is sent along',
    ...securityOf(config, false),
    description: `At most ${config.maxUploadBytes} bytes. Options may stand in the query or in the body, each once.`,
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
        'image/*': {},
        'application/octet-stream': {},
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
    description: 'The image, or the tensor; of several variants each is a part with its own headers',
    headers: headerRefs(Object.keys(answerHeaders)),
    content: {
      'image/jpeg': {},
      'image/png': {},
      'image/webp': {},
      'application/octet-stream': {},
      'application/x-npy': {},
      'application/vnd.safetensors': {},
      'multipart/mixed': {},
    },
  };
}

function headerRefs(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function imageProblems({ apiKeysFile, linkSecretsFile }: ApiConfig): JsonObject {
  const reasons = Object.keys(failureKinds) as FailureReason[];
  const never = [
    ...notOfImages,
    ...(apiKeysFile === undefined && linkSecretsFile === undefined ? reasonsOfGate : []),
    ...(linkSecretsFile === undefined ? reasonsOfLinks : []),
    ...reasonsOfStreams,
  ];
  return problemResponses(reasons.filter((reason) => !never.includes(reason)));
}

/** A response for each HTTP status of some reasons. */
function problemResponses(reasons: readonly FailureReason[]): JsonObject {
  const byStatus = Map.groupBy(reasons, (reason) => failureKinds[reason].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      status,
      {
        description: group.map((reason) => `${reason}: ${failureKinds[reason].title}`).join('. '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function problemSchema(): JsonObject {
  return {
    type: 'object',
    description: 'A failure (RFC 9457)',
    required: ['type', 'title', 'status', 'detail', 'instance', 'reason', 'retryable', 'metadata'],
    properties: {
      type: { type: 'string', format: 'uri-reference', description: `${problemPath}/ and the reason` },
      title: { type: 'string', description: 'What the reason means, in words' },
      status: { type: 'integer', description: 'The HTTP status' },
      detail: { type: 'string', description: 'What is wrong with this request, and what to do' },
      instance: { type: 'string', description: 'The X-Request-Id, which the log has too' },
      reason: { type: 'string', enum: Object.keys(failureKinds), description: 'Stable; match on this' },
      retryable: {
        type: 'boolean',
        description: 'Whether the same request can succeed later; wait as Retry-After says, where it is sent',
      },
      metadata: {
        type: 'object',
        description: 'limit, actual, allowed, option, … where the reason has them',
        additionalProperties: { type: 'string' },
      },
    },
  };
}

function describeProblemRoute(): JsonObject {
  return {
    operationId: 'problem',
    summary: 'What a reason means',
    parameters: [
      {
        name: 'reason',
        in: 'path',
        required: true,
        schema: { type: 'string', enum: Object.keys(failureKinds) },
      },
    ],
    responses: {
      200: { description: 'The reason', content: { 'application/json': { schema: { type: 'object' } } } },
      ...problemResponses(['ROUTE_UNKNOWN']),
    },
  };
}

function describeProbe(operationId: string, summary: string, problems: JsonObject): JsonObject {
  return {
    operationId,
    summary,
    responses: {
      200: { description: 'Yes', content: { 'application/json': { schema: { type: 'object' } } } },
      ...problems,
    },
  };
}

/** The service of proto/image/v1/processor.proto, of which OpenAPI can say little. */
function describeConnectDoor(config: ApiConfig): JsonObject {
  return Object.fromEntries(
    ProcessorService.methods.map((method) => [
      `/${ProcessorService.typeName}/${method.name}`,
      {
        post: {
          operationId: method.localName,
          summary: `${ProcessorService.typeName}.${method.name} in the Connect and gRPC-Web protocols`,
          ...securityOf(config, false),
          requestBody: { required: true, content: connectTypes(method.methodKind === 'unary') },
          responses: {
            200: {
              description: method.output.typeName,
              content: connectTypes(method.methodKind === 'unary'),
            },
          },
        },
      },
    ]),
  );
}

function connectTypes(isUnary: boolean): JsonObject {
  const connect = isUnary
    ? { 'application/proto': {}, 'application/json': {} }
    : { 'application/connect+proto': {}, 'application/connect+json': {} };
  return { ...connect, 'application/grpc-web+proto': {}, 'application/grpc-web+json': {} };
}
