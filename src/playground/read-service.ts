import { imageOptionNames } from '../options/image-options.ts';
import { initialSettings, type Settings } from './settings.ts';

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
    };
  };
}

/** The facts about the service that the page needs. */
export interface ServiceFacts {
  /** Its defaults, as settings of the form. */
  readonly defaults: Partial<Settings>;
  readonly needsKey: boolean;
}

/** Reads the defaults of the service, and whether it asks for a key, from its OpenAPI document. */
export async function readService(url: string): Promise<ServiceFacts> {
  try {
    const response = await fetch(url);
    const operation = ((await response.json()) as OpenApi).paths?.['/v1/images']?.get;
    const defaults = new Map(operation?.parameters?.map(({ name, schema }) => [name, schema?.default]));
    return { defaults: settingsOf(defaults), needsKey: (operation?.security?.length ?? 0) > 0 };
  } catch {
    // The first call reports what is wrong.
    return { defaults: {}, needsKey: false };
  }
}

function settingsOf(defaults: ReadonlyMap<string, unknown>): Partial<Settings> {
  const entries = imageOptionNames.flatMap((name) => {
    const value = defaults.get(name);
    if (value === undefined || !(name in initialSettings)) return [];
    return [[name, typeof value === 'boolean' ? value : String(value)]];
  });
  return { ...Object.fromEntries(entries), sizing: defaults.get('scale') === false ? 'source' : 'box' };
}
