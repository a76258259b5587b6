import type { ApiConfig } from '../config.ts';
import { presetsPath } from '../presets.ts';
import { problemPath } from '../problems/problem.ts';
import { responseHeaders } from '../response.ts';
import { descriptionSchema, getDescription, postDescription } from './describe-operations.ts';
import { getImage, postImage } from './image-operations.ts';
import type { JsonObject } from './json-object.ts';
import { optionSchemas } from './options.ts';
import { getProblem, listProblems, probe, rpcOperations } from './other-operations.ts';
import { getPreset, listPresets, presetSchema } from './preset-operations.ts';
import { problemResponses, problemSchema } from './responses.ts';
import { securitySchemes } from './security.ts';
import { postSkew, skewPairsSchema, skewSchema } from './skew-operations.ts';

const tags = [
  { name: 'Images', description: 'An image or a URL in, an image or a tensor out.' },
  { name: 'Descriptions', description: 'Sizes, shapes and key of a response, without decoding the image.' },
  { name: 'Presets', description: 'The preprocessing of published models.' },
  { name: 'Skew', description: 'The preprocessing that made the tensor of another program.' },
  { name: 'Errors', description: 'The reasons with which a request can fail.' },
  { name: 'RPC', description: 'The same over Connect and gRPC-Web, with generated types.' },
  { name: 'Operations', description: 'Probes, metrics and this document.' },
];

/**
 * The API as an OpenAPI 3.1 document. Options and failures come from their tables, defaults from this instance's
 * environment.
 */
export function openApiDocument(config: ApiConfig): JsonObject {
  const options = optionSchemas(config);
  const security = securitySchemes(config);
  const image = { get: getImage(options, config), post: postImage(options, config) };
  const description = { get: getDescription(options, config), post: postDescription(options, config) };
  return {
    openapi: '3.1.1',
    info: {
      title: 'image-api',
      version: 'v1',
      summary:
        'Scales images and converts them to grayscale for ML models, with the pixels that the model was trained on.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '.', description: 'This instance' }],
    tags,
    ...(Object.keys(security).length === 0 && { security: [] }),
    paths: {
      '/v1/images': image,
      '/v1/describe': description,
      '/v1/skew': { post: postSkew(options, config) },
      [presetsPath]: { get: listPresets(config) },
      [`${presetsPath}/{name}`]: { get: getPreset(config) },
      ...rpcOperations(config),
      '/healthz': { get: probe('alive', 'Whether this process runs', 'ok', {}) },
      '/readyz': {
        get: probe(
          'ready',
          'Whether a processor responds',
          'ready',
          problemResponses(['PROCESSOR_UNAVAILABLE', 'DRAINING']),
        ),
      },
      '/metrics': {
        get: {
          operationId: 'metrics',
          tags: ['Operations'],
          summary: 'Metrics for Prometheus',
          responses: {
            200: {
              description: 'Prometheus text format',
              content: { 'text/plain': { schema: { type: 'string' } } },
            },
          },
        },
      },
      '/openapi.json': {
        get: {
          operationId: 'openapi',
          tags: ['Operations'],
          summary: 'This document',
          responses: {
            200: {
              description: 'OpenAPI 3.1',
              content: { 'application/json': { schema: { type: 'object' } } },
            },
          },
        },
      },
      [problemPath]: { get: listProblems() },
      [`${problemPath}/{reason}`]: { get: getProblem() },
    },
    components: {
      schemas: {
        Problem: problemSchema(),
        Description: descriptionSchema(),
        Preset: presetSchema(),
        Skew: skewSchema(),
        SkewPairs: skewPairsSchema(),
      },
      ...(Object.keys(security).length === 0 ? {} : { securitySchemes: security }),
      headers: Object.fromEntries(
        Object.entries(responseHeaders).map(([name, description]) => [
          name,
          { description, schema: { type: 'string' } },
        ]),
      ),
    },
  };
}
