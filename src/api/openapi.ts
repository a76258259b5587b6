import { z } from 'zod';
import { ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { type FailureReason, failureKinds } from '../failures.ts';
import { imageOptions } from '../image-options.ts';
import type { ApiConfig } from './config.ts';
import { problemPath } from './problem.ts';
import { answerHeaders } from './response.ts';

type JsonObject = { readonly [key: string]: unknown };

/** Reasons that belong to a path or a moment and not to an image. */
const notOfImages: readonly FailureReason[] = [
  'ROUTE_UNKNOWN',
  'METHOD_NOT_ALLOWED',
  'CANCELLED',
  'DRAINING',
];

/**
 * The API as an OpenAPI 3.1 document: options from the schemas that read them, failures from the table
 * that makes them, defaults from this instance's environment.
 */
export function describeApi(config: ApiConfig): JsonObject {
  const options = optionSchemas(config);
  const image = { get: describeGet(options), post: describePost(options, config) };
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
      ...describeConnectDoor(),
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
  const { properties = {} } = z.toJSONSchema(imageOptions, {
    io: 'input',
    // Numbers and flags are read from text, but that is not what they are.
    override: ({ jsonSchema }) => {
      if (jsonSchema.type === 'integer') delete jsonSchema.pattern;
      if (jsonSchema.type === 'boolean') delete jsonSchema.enum;
    },
  });
  const defaultOf: JsonObject = defaults;
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [
      name,
      { ...(schema as JsonObject), ...(defaultOf[name] === undefined ? {} : { default: defaultOf[name] }) },
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

function describeGet(options: Record<string, JsonObject>): JsonObject {
  const { description, ...schema } = urlSchema;
  return {
    operationId: 'getImage',
    summary: 'Processes the image at a URL',
    parameters: [
      { name: 'url', in: 'query', required: true, description, schema },
      ...queryParameters(options),
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
      ...imageProblems(),
    },
  };
}

function describePost(options: Record<string, JsonObject>, { maxUploadBytes }: ApiConfig): JsonObject {
  const urlAndOptions = {
    type: 'object',
    properties: { url: urlSchema, ...options },
    required: ['url'],
    additionalProperties: false,
  };
  const binary = { type: 'string', contentMediaType: 'application/octet-stream' };
  return {
    operationId: 'postImage',
    summary: 'Processes an image that is sent along',
    description: `At most ${maxUploadBytes} bytes. Options may stand in the query or in the body, each once.`,
    parameters: queryParameters(options),
    requestBody: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            description: 'Exactly one of image and url',
            properties: { image: { ...binary, description: 'The image file' }, url: urlSchema, ...options },
            oneOf: [{ required: ['image'] }, { required: ['url'] }],
            additionalProperties: false,
          },
        },
        'image/*': {},
        'application/octet-stream': {},
        'application/json': { schema: urlAndOptions },
        'application/x-www-form-urlencoded': { schema: urlAndOptions },
      },
    },
    responses: { 200: imageResponse(), ...imageProblems() },
  };
}

function imageResponse(): JsonObject {
  return {
    description: 'The image, or the tensor',
    headers: headerRefs(Object.keys(answerHeaders)),
    content: {
      'image/jpeg': {},
      'image/png': {},
      'image/webp': {},
      'application/octet-stream': {},
      'application/x-npy': {},
      'application/vnd.safetensors': {},
    },
  };
}

function headerRefs(names: readonly string[]): JsonObject {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function imageProblems(): JsonObject {
  const reasons = Object.keys(failureKinds) as FailureReason[];
  return problemResponses(reasons.filter((reason) => !notOfImages.includes(reason)));
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
    required: ['type', 'title', 'status', 'detail', 'instance', 'reason', 'metadata'],
    properties: {
      type: { type: 'string', format: 'uri-reference', description: `${problemPath}/ and the reason` },
      title: { type: 'string', description: 'What the reason means, in words' },
      status: { type: 'integer', description: 'The HTTP status' },
      detail: { type: 'string', description: 'What is wrong with this request, and what to do' },
      instance: { type: 'string', description: 'The X-Request-Id, which the log has too' },
      reason: { type: 'string', enum: Object.keys(failureKinds), description: 'Stable; match on this' },
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
function describeConnectDoor(): JsonObject {
  return Object.fromEntries(
    ProcessorService.methods.map((method) => [
      `/${ProcessorService.typeName}/${method.name}`,
      {
        post: {
          operationId: method.localName,
          summary: `${ProcessorService.typeName}.${method.name} in the Connect and gRPC-Web protocols`,
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
