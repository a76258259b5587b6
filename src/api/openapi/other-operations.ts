import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { failureKinds } from '../../failures.ts';
import type { ApiConfig } from '../config.ts';
import type { JsonObject } from './json-object.ts';
import { problemResponses } from './responses.ts';
import { securityOf } from './security.ts';

const problemTypes = { 'application/json': { schema: { type: 'object' } }, 'text/html': {} };

/** `GET /problems/{reason}`. */
export function getProblem(): JsonObject {
  return {
    operationId: 'problem',
    summary: 'The meaning of a reason',
    parameters: [
      {
        name: 'reason',
        in: 'path',
        required: true,
        schema: { type: 'string', enum: Object.keys(failureKinds) },
      },
    ],
    responses: {
      200: { description: 'The reason', content: problemTypes },
      ...problemResponses(['ROUTE_UNKNOWN']),
    },
  };
}

/** `GET /problems`. */
export function listProblems(): JsonObject {
  return {
    operationId: 'listProblems',
    summary: 'Lists the reasons with which a request can fail',
    responses: { 200: { description: 'The reasons', content: problemTypes } },
  };
}

/** A probe of the process's or the service's state. */
export function probe(operationId: string, summary: string, problems: JsonObject): JsonObject {
  return {
    operationId,
    summary,
    responses: {
      200: { description: 'Yes', content: { 'application/json': { schema: { type: 'object' } } } },
      ...problems,
    },
  };
}

/** The RPCs of proto/image/v1/processor.proto. OpenAPI cannot express their messages. */
export function rpcOperations(config: ApiConfig): JsonObject {
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
