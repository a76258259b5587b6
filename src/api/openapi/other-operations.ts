import type { DescMethod } from '@bufbuild/protobuf';
import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { failureKinds } from '../../failures.ts';
import type { ApiConfig } from '../config.ts';
import { describeProblem } from '../problems/problem.ts';
import type { JsonObject } from './json-object.ts';
import { problemResponses } from './responses.ts';
import { rpcExamples } from './rpc-examples.ts';
import { securityOf } from './security.ts';

const problemTypes = (example: unknown) => ({
  'application/json': { schema: { type: 'object' }, example },
  'text/html': { schema: { type: 'string', description: 'A page, if Accept prefers this type' } },
});

/** `GET /problems/{reason}`. */
export function getProblem(): JsonObject {
  return {
    operationId: 'problem',
    tags: ['Errors'],
    summary: 'The meaning of a reason',
    parameters: [
      {
        name: 'reason',
        in: 'path',
        required: true,
        description: 'A reason of the table of errors',
        schema: { type: 'string', enum: Object.keys(failureKinds) },
        example: 'OPTION_INVALID',
      },
    ],
    responses: {
      200: { description: 'The reason', content: problemTypes(describeProblem('OPTION_INVALID')) },
      ...problemResponses(['ROUTE_UNKNOWN']),
    },
  };
}

/** `GET /problems`. */
export function listProblems(): JsonObject {
  return {
    operationId: 'listProblems',
    tags: ['Errors'],
    summary: 'Lists the reasons with which a request can fail',
    responses: {
      200: {
        description: 'The reasons',
        content: problemTypes({ problems: [describeProblem('SOURCE_MISSING')] }),
      },
    },
  };
}

/** A probe of the process's or the service's state. */
export function probe(
  operationId: string,
  summary: string,
  status: string,
  problems: JsonObject,
): JsonObject {
  return {
    operationId,
    tags: ['Operations'],
    summary,
    responses: {
      200: {
        description: 'Yes',
        content: { 'application/json': { schema: { type: 'object' }, example: { status } } },
      },
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
          operationId: `rpc${method.name}`,
          tags: ['RPC'],
          summary: `${ProcessorService.typeName}.${method.name} in the Connect and gRPC-Web protocols`,
          description: 'OpenAPI cannot express its messages; proto/image/v1/processor.proto describes them.',
          ...securityOf(config, false),
          requestBody: { required: true, content: connectTypes(method, 'request') },
          responses: {
            default: {
              description: 'The error of Connect, with a google.rpc.ErrorInfo that contains the reason',
              content: { 'application/json': { schema: { type: 'object' } } },
            },
            200: {
              description: method.output.typeName,
              content: connectTypes(method, 'response'),
            },
          },
        },
      },
    ]),
  );
}

function connectTypes(method: DescMethod, side: 'request' | 'response'): JsonObject {
  const example = rpcExamples[method.name]?.[side];
  const message = { schema: { type: 'object' }, ...(example !== undefined && { example }) };
  const binary = (contentMediaType: string) => ({ schema: { type: 'string', contentMediaType } });
  const prefix = method.methodKind === 'unary' ? 'application/' : 'application/connect+';
  const types = [`${prefix}proto`, 'application/grpc-web+proto', 'application/grpc-web+json'];
  return {
    [`${prefix}json`]: message,
    ...Object.fromEntries(types.map((type) => [type, binary(type)])),
  };
}
