import { type ImageDefaults, imageOptionNames, standardDefaults } from '../../options/image-options.ts';
import { parseOptions } from '../../options/parse-options.ts';
import { initialSettings, type Settings } from '../form/settings.ts';

/** The part of an OpenAPI document that is read. */
interface OpenApi {
  readonly paths?: {
    readonly '/v1/images'?: {
      readonly get?: {
        readonly parameters?: readonly {
          readonly name: string;
          readonly schema?: { readonly default?: unknown };
        }[];
        readonly security?: readonly unknown[];
      };
      readonly post?: {
        readonly requestBody?: {
          readonly content?: Readonly<Record<string, { readonly schema?: { readonly maxLength?: number } }>>;
        };
      };
    };
  };
}

/** The facts about the service that the page needs. */
export interface ServiceFacts {
  /** Its defaults, as settings of the form. */
  readonly defaults: Partial<Settings>;
  /** The same defaults, as image-api applies them to options that a request omits. */
  readonly imageDefaults: ImageDefaults;
  readonly needsKey: boolean;
  /** The longest image that it takes, in bytes; undefined if it does not tell. */
  readonly maxUploadBytes: number | undefined;
}

/** Reads the defaults of the service, and whether it asks for a key, from its OpenAPI document. */
export async function readService(url: string): Promise<ServiceFacts> {
  try {
    const response = await fetch(url);
    const { get, post } = ((await response.json()) as OpenApi).paths?.['/v1/images'] ?? {};
    const defaults = new Map(get?.parameters?.map(({ name, schema }) => [name, schema?.default]));
    return {
      defaults: settingsOf(defaults),
      imageDefaults: imageDefaultsOf(defaults),
      needsKey: (get?.security?.length ?? 0) > 0,
      maxUploadBytes: post?.requestBody?.content?.['application/octet-stream']?.schema?.maxLength,
    };
  } catch {
    // The first call reports what is wrong.
    return {
      defaults: {},
      imageDefaults: standardDefaults,
      needsKey: false,
      maxUploadBytes: undefined,
    };
  }
}

function imageDefaultsOf(defaults: ReadonlyMap<string, unknown>): ImageDefaults {
  const texts = Object.keys(standardDefaults).flatMap((name) => {
    const value = defaults.get(name);
    return value === undefined ? [] : [[name, String(value)] as const];
  });
  return { ...standardDefaults, ...(parseOptions(texts).values as Partial<ImageDefaults>) };
}

function settingsOf(defaults: ReadonlyMap<string, unknown>): Partial<Settings> {
  const entries = imageOptionNames.flatMap((name) => {
    const value = defaults.get(name);
    if (value === undefined || !(name in initialSettings)) return [];
    return [[name, typeof value === 'boolean' ? value : String(value)]];
  });
  return { ...Object.fromEntries(entries), sizing: defaults.get('scale') === false ? 'source' : 'box' };
}
