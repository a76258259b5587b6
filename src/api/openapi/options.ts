import { describeOption } from '../../options/combinations.ts';
import { imageOptionNames, imageOptions, maxVariants } from '../../options/image-options.ts';
import type { ApiConfig } from '../config.ts';
import { passwordHeader } from '../document-password.ts';
import { variantNamePattern, variantsOption } from '../variants.ts';
import type { JsonObject } from './json-object.ts';

/** Each option's JSON schema, with the default of this instance. */
export function optionSchemas({ defaults }: ApiConfig): Record<string, JsonObject> {
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

/** The field `url`. */
export const urlSchema = {
  type: 'string',
  format: 'uri',
  description:
    'http or https URL of the image, at a public address, or s3://bucket/key where the service allows the bucket; the processor downloads it',
};

/** The field `password`. */
export const passwordSchema = {
  type: 'string',
  format: 'password',
  description: "An encrypted document's password. Not in a query",
};

/** The header that may contain the password instead. */
export const passwordParameter = {
  name: passwordHeader,
  in: 'header',
  description: "An encrypted document's password in UTF-8, instead of the field password",
  schema: { type: 'string', format: 'password' },
};

/** Options as query parameters. */
export function queryParameters(options: Record<string, JsonObject>): JsonObject[] {
  return Object.entries(options).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    description,
    schema,
  }));
}

const nameMeaning =
  "The name of the part, and of its file without its extension. Each is used once; default: the variant's index";

/** The option `variants`: a JSON list of objects of the other options. */
export function variantsSchema(options: Record<string, JsonObject>): JsonObject {
  return {
    type: 'array',
    minItems: 1,
    maxItems: maxVariants,
    items: {
      type: 'object',
      properties: {
        name: { type: 'string', pattern: variantNamePattern, description: nameMeaning },
        ...options,
      },
      additionalProperties: false,
    },
    description:
      'Several outputs of one image, which is decoded once: the options of each output. The other options apply to all outputs. The response has a part for each output',
  };
}

/** `variants` as a query parameter. */
export function variantsParameter(options: Record<string, JsonObject>): JsonObject {
  const { description, ...schema } = variantsSchema(options);
  return { name: variantsOption, in: 'query', description, content: { 'application/json': { schema } } };
}
