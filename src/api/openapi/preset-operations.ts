import { presetPages } from '../../options/preset-pages.ts';
import type { ApiConfig } from '../config.ts';
import { examplePreset, presetExample, presetListExample } from './examples.ts';
import type { JsonObject } from './json-object.ts';
import { callProblems, headerRefs, problemResponses } from './responses.ts';
import { linkParameterList, securityOf } from './security.ts';

const ifNoneMatch = {
  name: 'If-None-Match',
  in: 'header',
  description: 'ETag of a response that the caller already has',
  schema: { type: 'string' },
};

/** `GET /v1/presets`. */
export function listPresets(config: ApiConfig): JsonObject {
  const { maxLimit, defaultLimit, maxQuery } = presetPages;
  const query = (name: string, description: string, schema: JsonObject, example?: unknown) => ({
    name,
    in: 'query',
    description,
    schema,
    ...(example !== undefined && { example }),
  });
  return {
    operationId: 'listPresets',
    tags: ['Presets'],
    summary: 'Lists the presets, in the order of their names',
    ...securityOf(config, true),
    parameters: [
      query(
        'q',
        'Words that occur in the name, an alias or the family of the presets that are listed',
        { type: 'string', maxLength: maxQuery },
        'openai patch32 transformers',
      ),
      query('limit', 'The most presets of the response', {
        type: 'integer',
        minimum: 1,
        maximum: maxLimit,
        default: defaultLimit,
      }),
      query('cursor', 'The next_cursor of the previous page', { type: 'string' }),
      ...linkParameterList(config),
      ifNoneMatch,
    ],
    responses: responsesWith(config, 'A page of the list', presetListExample, {
      type: 'object',
      required: ['presets'],
      properties: {
        presets: { type: 'array', items: { $ref: '#/components/schemas/Preset' } },
        next_cursor: { type: 'string', description: 'Asks for the next page. Absent on the last page' },
      },
    }),
  };
}

/** `GET /v1/presets/{name}`. */
export function getPreset(config: ApiConfig): JsonObject {
  const texts = { type: 'array', items: { type: 'string' } };
  return {
    operationId: 'getPreset',
    tags: ['Presets'],
    summary: 'Describes one preset: its steps, and the Python that makes the same tensors',
    ...securityOf(config, true),
    parameters: [
      {
        name: 'name',
        in: 'path',
        required: true,
        description: 'The name or an alias of a preset. Slashes may be sent as they are',
        schema: { type: 'string' },
        example: examplePreset,
      },
      ...linkParameterList(config),
      ifNoneMatch,
    ],
    responses: {
      ...responsesWith(config, 'The preset', presetExample, {
        allOf: [
          { $ref: '#/components/schemas/Preset' },
          {
            type: 'object',
            required: ['steps', 'python'],
            properties: {
              steps: {
                ...texts,
                description: 'The steps of an image, in words, in their order',
              },
              python: {
                type: 'string',
                description:
                  'Lines of Python that make the same tensors of photo.jpg with the library that the preset comes from',
              },
            },
          },
        ],
      }),
      ...problemResponses(['PRESET_UNKNOWN']),
    },
  };
}

function responsesWith(
  config: ApiConfig,
  description: string,
  example: JsonObject,
  schema: JsonObject,
): JsonObject {
  return {
    200: { description, headers: headerRefs(['ETag']), content: { 'application/json': { schema, example } } },
    304: { description: 'The caller already has this response', headers: headerRefs(['ETag']) },
    ...callProblems(config),
  };
}

/** The schema `Preset`. */
export function presetSchema(): JsonObject {
  const texts = (description: string) => ({ type: 'array', items: { type: 'string' }, description });
  return {
    type: 'object',
    description: "A model's own preprocessing",
    required: ['name', 'aliases', 'family', 'numerics', 'outputs'],
    properties: {
      name: { type: 'string', description: 'As the hub or the library writes it' },
      aliases: texts('Other names that mean the same preset'),
      family: { type: 'string', description: 'The library that the preprocessing comes from' },
      numerics: texts('Those that a request with this preset may have. The first one is what exact means'),
      outputs: texts('The names of its tensors. The first one contains the pixels'),
    },
  };
}
