import { datatypes } from '../../datatypes.ts';
import { toleranceInWords } from '../../options/tolerance.ts';
import type { ApiConfig } from '../config.ts';
import { maxPairs } from '../skew/pairs.ts';
import { skewExamples, skewFormExamples } from './examples-of-skew.ts';
import type { JsonObject } from './json-object.ts';
import { passwordParameter, passwordSchema, queryParameters, urlSchema } from './options.ts';
import { skewProblems } from './responses.ts';
import { securityOf } from './security.ts';

const several = (items: JsonObject, description: string) => ({
  type: 'array',
  minItems: 1,
  maxItems: maxPairs,
  items,
  description,
});

/** The fields of a comparison that are text, in the form or in the query. */
const ownFields = {
  map: {
    type: 'boolean',
    default: false,
    description: 'Whether the response has a map of the differences',
  },
  tolerance: {
    type: 'string',
    description: `Differences that pass, for which no cause is searched: ${toleranceInWords}`,
  },
  shape: {
    type: 'string',
    description:
      'The length of each axis, with commas between them, of raw values: 1,3,224,224. Only together with datatype',
  },
  tensor_name: {
    type: 'string',
    description:
      'The name of the tensor in a file of several. Default: the name of the expected tensor, or the only one that can contain pixels',
  },
};

/** `POST /v1/skew`. */
export function postSkew(options: Record<string, JsonObject>, config: ApiConfig): JsonObject {
  const maxLength = config.maxUploadBytes;
  const file = { type: 'string', contentMediaType: 'application/octet-stream', maxLength };
  const { datatype = {}, ...others } = options;
  return {
    operationId: 'postSkew',
    tags: ['Skew'],
    summary: 'Names the preprocessing that made a tensor of an image',
    ...securityOf(config, false),
    description: `Compares what another program made of an image with the tensor that /v1/images makes of it. The first image belongs to the first tensor, and so on; at most ${maxPairs} pairs. A request counts once, however many pairs it has.`,
    parameters: [...queryParameters(options), ...queryParameters(ownFields), passwordParameter],
    requestBody: {
      required: true,
      content: {
        'multipart/form-data': {
          schema: {
            type: 'object',
            description: 'As many of image and url together as of tensor or picture',
            properties: {
              image: several(file, 'The image file'),
              url: several(urlSchema, 'The address of the image, instead of a file'),
              tensor: several(
                file,
                'The tensor of the other program: .npy, .npz, safetensors, or raw values',
              ),
              picture: several(file, 'The same as an encoded image, instead of a tensor'),
              ...ownFields,
              datatype: {
                ...datatype,
                enum: [...(datatype.enum as readonly string[]), ...Object.keys(datatypes)],
                description: `${datatype.description}. Beside shape: the datatype of the values, in capitals or not`,
              },
              ...others,
              password: passwordSchema,
            },
            oneOf: [{ required: ['tensor'] }, { required: ['picture'] }],
            anyOf: [{ required: ['image'] }, { required: ['url'] }],
            additionalProperties: false,
          },
          encoding: { image: { contentType: 'image/*, application/pdf, application/octet-stream' } },
          examples: skewFormExamples,
        },
      },
    },
    responses: {
      200: {
        description:
          'The differences, and their cause. With several pairs: those of each, and what they share',
        content: {
          'application/json': {
            schema: {
              anyOf: [{ $ref: '#/components/schemas/Skew' }, { $ref: '#/components/schemas/SkewPairs' }],
            },
            examples: skewExamples,
          },
        },
      },
      ...skewProblems(config),
    },
  };
}

const number = (description: string) => ({ type: 'number', minimum: 0, description });
const text = (description: string) => ({ type: 'string', description });
const count = (description: string) => ({ type: 'integer', minimum: 0, description });

const differenceSchemas = {
  differing_share: {
    ...number('The share of values that differ. Absent, as the next ones, if the sizes differ'),
    maximum: 1,
  },
  mean_abs: number('The mean of the absolute differences, in the units of the expected tensor'),
  max_abs: number('The largest absolute difference'),
};

const stepsSchema = {
  type: 'array',
  description: 'Where the two differ, in the order of processing',
  items: {
    type: 'object',
    required: ['name', 'yours', 'expected'],
    properties: {
      name: text('The option or the step: numerics, filter, channel_order, crop, scale, mean, …'),
      yours: text('In the given tensor'),
      expected: text('In the expected tensor'),
      also: {
        type: 'array',
        items: { type: 'string' },
        description: 'Other values of `yours` that give the same tensor',
      },
    },
  },
};

const exactSchema = {
  type: 'boolean',
  description: 'Whether these steps give every value of the tensor, to the last bit',
};

/** The schema `Skew`. */
export function skewSchema(): JsonObject {
  const tensor = (description: string) => ({
    type: 'object',
    description,
    required: ['name', 'datatype', 'shape'],
    properties: {
      name: text('Its name in a file of several'),
      datatype: { type: 'string', enum: Object.keys(datatypes) },
      shape: { type: 'array', items: { type: 'integer' }, description: 'The length of each axis' },
    },
  });
  return {
    type: 'object',
    description: 'How a tensor differs from the expected one, and why',
    required: ['equal', 'given', 'expected', 'source', 'plan'],
    properties: {
      equal: { type: 'boolean', description: 'Whether shape, datatype and all values are equal' },
      within_tolerance: {
        type: 'boolean',
        description: 'With a tolerance: whether the differences are within it',
      },
      ...differenceSchemas,
      percentiles: {
        type: 'object',
        description: 'Of the absolute differences',
        additionalProperties: { type: 'number' },
      },
      cause: {
        type: 'object',
        description: 'Absent if the tensors are equal or within the tolerance',
        required: ['exact', 'confidence', 'sentence', 'steps'],
        properties: {
          exact: exactSchema,
          confidence: {
            ...number('The share of the mean difference that the steps explain; 1 if exact'),
            maximum: 1,
          },
          sentence: text('The cause in one or two sentences'),
          steps: stepsSchema,
        },
      },
      given: tensor('The tensor that was sent'),
      expected: tensor('The tensor that /v1/images makes'),
      source: {
        type: 'object',
        description: 'The image as it was received',
        required: ['format', 'width', 'height', 'orientation', 'bytes', 'sha256'],
        properties: {
          format: text('The format, detected from the bytes'),
          width: count('In pixels as stored, before EXIF orientation'),
          height: count('In pixels as stored, before EXIF orientation'),
          orientation: { type: 'integer', minimum: 1, maximum: 8, description: 'The EXIF orientation' },
          bytes: count('Length of the file'),
          sha256: text('Of the file, in hex'),
        },
      },
      plan: {
        type: 'array',
        items: { type: 'string' },
        description: 'The steps that give the expected tensor, in their order',
      },
      python: text('Lines of Python that make the expected tensor of a file photo.jpg. Only with a preset'),
      map: {
        type: 'string',
        contentEncoding: 'base64',
        contentMediaType: 'image/png',
        description: 'With map=true: the differences at each pixel, brighter where they are larger',
      },
    },
  };
}

/** The schema `SkewPairs`. */
export function skewPairsSchema(): JsonObject {
  const pairs = count('The pairs that have this cause');
  return {
    type: 'object',
    description: 'Several comparisons',
    required: ['overall', 'pairs'],
    properties: {
      overall: {
        type: 'object',
        required: ['equal', 'pairs', 'failed'],
        properties: {
          equal: { type: 'boolean', description: 'Whether all pairs are equal' },
          pairs: count('The number of pairs'),
          failed: count('The pairs that could not be compared'),
          ...differenceSchemas,
          cause: {
            type: 'object',
            description: 'The cause that more than half of the pairs that differ have, if there is one',
            required: ['exact', 'sentence', 'steps', 'pairs', 'exact_pairs'],
            properties: {
              exact: { ...exactSchema, description: 'Whether it is exact for all pairs that differ' },
              sentence: text('The cause in one sentence'),
              steps: stepsSchema,
              pairs,
              exact_pairs: count('Those of them for which it is exact'),
            },
          },
        },
      },
      pairs: {
        type: 'array',
        description: 'In the order of the form',
        items: { anyOf: [{ $ref: '#/components/schemas/Skew' }, failedPairSchema] },
      },
    },
  };
}

const failedPairSchema = {
  type: 'object',
  required: ['problem'],
  properties: {
    problem: {
      type: 'object',
      description: 'Why this pair could not be compared',
      required: ['reason', 'message', 'retryable', 'metadata'],
      properties: {
        reason: text('As in a problem of the whole request'),
        message: text('The error, and what to do next'),
        retryable: { type: 'boolean', description: 'Whether the same pair can succeed later' },
        metadata: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
};
