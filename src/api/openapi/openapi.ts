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
    },
    paths: {
      '/v1/images': image,
      '/v1/describe': description,
      [presetsPath]: { get: listPresets(config) },
      [`${presetsPath}/{name}`]: { get: getPreset(config) },
      ...rpcOperations(config),
      '/healthz': { get: probe('alive', 'Whether this process runs', {}) },
      '/readyz': {
        get: probe(
          'ready',
          'Whether a processor responds',
          problemResponses(['PROCESSOR_UNAVAILABLE', 'DRAINING']),
        ),
      },
      '/metrics': {
        get: {
          operationId: 'metrics',
          summary: 'Metrics for Prometheus',
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
      [problemPath]: { get: listProblems() },
      [`${problemPath}/{reason}`]: { get: getProblem() },
    },
    components: {
      schemas: { Problem: problemSchema(), Description: descriptionSchema(), Preset: presetSchema() },
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
