import { datatypes } from '../../datatypes.ts';
import type { ApiConfig } from '../config.ts';
import { descriptionExamples } from './examples.ts';
import { getImage, postImage } from './image-operations.ts';
import type { JsonObject } from './json-object.ts';
import { imageProblems } from './responses.ts';

/** `GET /v1/describe`. */
export function getDescription(options: Record<string, JsonObject>, config: ApiConfig): JsonObject {
  const { parameters, ...operation } = getImage(options, config);
  return {
    ...operation,
    operationId: 'getDescription',
    tags: ['Descriptions'],
    description:
      'The same parameters and failures as GET /v1/images, as far as these are known from the header of the image.',
    summary: 'Describes the response to GET /v1/images, without decoding the image',
    // Descriptions have no entity tag.
    parameters: (parameters as readonly JsonObject[]).filter(({ name }) => name !== 'If-None-Match'),
    responses: descriptionResponses(config),
  };
}

/** `POST /v1/describe`. */
export function postDescription(options: Record<string, JsonObject>, config: ApiConfig): JsonObject {
  return {
    ...postImage(options, config),
    operationId: 'postDescription',
    tags: ['Descriptions'],
    summary: 'Describes the response to POST /v1/images, without decoding the image',
    responses: descriptionResponses(config),
  };
}

function descriptionResponses(config: ApiConfig): JsonObject {
  const description = { $ref: '#/components/schemas/Description' };
  const variants = {
    type: 'object',
    description: 'Of a request with variants: a description for each',
    required: ['variants'],
    properties: {
      variants: {
        type: 'array',
        items: {
          allOf: [description, { type: 'object', properties: { name: { type: 'string' } } }],
        },
      },
    },
  };
  return {
    200: {
      description: 'The description',
      content: {
        'application/json': {
          schema: { anyOf: [description, variants] },
          examples: descriptionExamples,
        },
      },
    },
    ...imageProblems(config),
  };
}

/** The schema `Description`. */
export function descriptionSchema(): JsonObject {
  const pixels = (description: string) => ({ type: 'integer', minimum: 1, description });
  return {
    type: 'object',
    description: 'The source and the outputs of a request, known without decoding the image',
    required: ['source', 'outputs', 'decisions'],
    properties: {
      source: {
        type: 'object',
        required: ['format', 'width', 'height', 'orientation'],
        properties: {
          format: { type: 'string', description: 'The format, detected from the bytes' },
          width: pixels('In pixels as stored, before EXIF orientation'),
          height: pixels('In pixels as stored, before EXIF orientation'),
          orientation: { type: 'integer', minimum: 1, maximum: 8, description: 'The EXIF orientation' },
          pages: { type: 'integer', minimum: 1, description: 'Pages of a document. Absent for a picture' },
        },
      },
      outputs: {
        type: 'array',
        description: 'One image, or the tensors',
        items: {
          oneOf: [
            {
              type: 'object',
              required: ['format', 'width', 'height'],
              properties: {
                format: { type: 'string', enum: ['jpeg', 'png', 'webp'] },
                width: pixels('In pixels'),
                height: pixels('In pixels'),
              },
            },
            {
              type: 'object',
              required: ['name', 'datatype', 'shape', 'bytes'],
              properties: {
                name: { type: 'string', description: "The tensor's name in safetensors and npz" },
                datatype: { type: 'string', enum: Object.keys(datatypes) },
                shape: { type: 'array', items: { type: 'integer' }, description: 'The length of each axis' },
                bytes: { type: 'integer', description: 'Length of the values' },
              },
            },
          ],
        },
      },
      decisions: {
        type: 'array',
        items: { type: 'string' },
        description: 'As in Image-Decisions: decisions about the source, as "subject=decision"',
      },
      key: {
        type: 'string',
        description:
          'The ETag of the response, without its quotes. Absent if the source was not read as a whole',
      },
      tokens: {
        type: 'integer',
        description:
          "The tokens that stand for the image in the prompt of the preset's model. Absent if they are not computed",
      },
      grid: {
        type: 'array',
        items: { type: 'integer' },
        description: 'Frames (1), rows and columns of the patches into which the preset cuts the image',
      },
      pages: {
        type: 'array',
        items: {
          type: 'object',
          required: ['width', 'height'],
          properties: { width: pixels('In pixels, at the dpi'), height: pixels('In pixels, at the dpi') },
        },
        description:
          'Sizes of the first 1000 pages of a document, with page_box=media of the first 100. Absent for a picture, and if the source was not read as a whole',
      },
    },
  };
}
