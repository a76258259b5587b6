import type { ApiConfig } from '../config.ts';
import type { JsonObject } from './json-object.ts';
import { imageProblems } from './responses.ts';

/** `POST /v1/skew`. */
export function postSkew(config: ApiConfig): JsonObject {
  return {
    operationId: 'postSkew',
    tags: ['Skew'],
    summary: 'Names the preprocessing that made a tensor of an image',
    requestBody: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            required: ['image', 'tensor'],
            properties: {
              image: { type: 'string', format: 'binary', description: 'The image' },
              tensor: {
                type: 'string',
                format: 'binary',
                description: 'The tensor that another program made of it',
              },
              preset: { type: 'string', description: 'The preset that gives the expected tensor' },
            },
          },
        },
      },
    },
    responses: {
      200: {
        description: 'The differences, and their cause',
        content: { 'application/json': { schema: { type: 'object' } } },
      },
      ...imageProblems(config),
    },
  };
}
