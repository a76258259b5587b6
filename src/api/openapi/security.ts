import type { ApiConfig } from '../config.ts';
import type { JsonObject } from './json-object.ts';

/** The security schemes of this instance: API keys, signed links. */
export function securitySchemes({ apiKeysFile, linkSecretsFile }: ApiConfig): Record<string, JsonObject> {
  return {
    ...(apiKeysFile !== undefined && {
      bearerKey: { type: 'http', scheme: 'bearer', description: 'The API key' },
      headerKey: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'The API key' },
    }),
    ...(linkSecretsFile !== undefined && {
      signedLink: {
        type: 'apiKey',
        in: 'query',
        name: 'signature',
        description: 'HMAC-SHA-256 of the path and all other query parameters, including expires',
      },
    }),
  };
}

/** The schemes that an operation accepts: any one of them suffices. Empty without authentication. */
export function securityOf(config: ApiConfig, isLink: boolean): JsonObject {
  const names = Object.keys(securitySchemes(config)).filter((name) => isLink || name !== 'signedLink');
  return names.length === 0 ? {} : { security: names.map((name) => ({ [name]: [] })) };
}

/** The parameter of a signed link that is not its signature. */
export function linkParameterList({ linkSecretsFile }: ApiConfig): JsonObject[] {
  if (linkSecretsFile === undefined) return [];
  return [
    {
      name: 'expires',
      in: 'query',
      description: 'When a signed link expires, in seconds since 1970',
      schema: { type: 'integer' },
    },
  ];
}
