import { create } from '@bufbuild/protobuf';
import {
  GetPresetRequestSchema,
  ListPresetsRequestSchema,
  type Numerics,
  NumericsSchema,
  type Preset,
} from '../../gen/image/v1/processor_pb.ts';
import { startDeadline } from '../deadline.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { unknownOption } from '../options/parse-options.ts';
import { presetPages } from '../options/preset-pages.ts';
import type { ApiConfig } from './config.ts';
import type { ApiContext } from './context.ts';
import type { HeldBytes } from './memory/held-bytes.ts';
import { writeJson } from './response.ts';
import type { ProcessorClient } from './upstream/processor-client.ts';
import { originOf } from './upstream/trace-call.ts';

/** The path of the list; a preset's own path is this and its name. */
export const presetsPath = '/v1/presets';

/** `GET /v1/presets`: a page of the processor's presets. */
export function listPresets(config: ApiConfig, processor: ProcessorClient, held: HeldBytes) {
  return async (c: ApiContext): Promise<Response> => {
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    const { q = '', limit, cursor = '' } = readParameters(c, ['q', 'limit', 'cursor']);
    const request = create(ListPresetsRequestSchema, { q, limit: readLimit(limit), cursor });
    const room = { maxBytes: config.responseLimit.bytes, take: share.expects };
    const { presets, nextCursor } = await processor.listPresets(request, deadline, originOf(c), room);
    return writeJson(c, share, {
      presets: presets.map(presetJson),
      ...(nextCursor !== '' && { next_cursor: nextCursor }),
    });
  };
}

/** `GET /v1/presets/NAME`: one preset. The slashes of its name are plain or `%2F`. */
export function getPreset(config: ApiConfig, processor: ProcessorClient, held: HeldBytes) {
  return async (c: ApiContext): Promise<Response> => {
    using deadline = startDeadline(c.req.raw.signal, config.requestTimeoutMs);
    const share = held.shareOf(c.env.outgoing, c.get('callerName'));
    readParameters(c, []);
    const { pathname } = new URL(c.req.url);
    const request = create(GetPresetRequestSchema, { name: decoded(pathname.slice(presetsPath.length + 1)) });
    const room = { maxBytes: config.responseLimit.bytes, take: share.expects };
    const { preset, steps, python } = await processor.getPreset(request, deadline, originOf(c), room);
    return writeJson(c, share, { ...(preset && presetJson(preset)), steps, python });
  };
}

/** A path's part without its percent-encoding. Malformed encoding is left as it is: no preset has such a name. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** @throws Failure OPTION_UNKNOWN, OPTION_INVALID for a parameter that is given twice */
function readParameters<Name extends string>(
  c: ApiContext,
  names: readonly Name[],
): { readonly [name in Name]?: string } {
  const { searchParams } = new URL(c.req.url);
  for (const name of c.get('spentParameters') ?? []) searchParams.delete(name);
  const given = new Map<string, string>();
  for (const [name, value] of searchParams) {
    if (!names.some((known) => known === name)) throw unknownOption(name, names);
    if (given.has(name)) throw invalidOption(name, 'given twice', 'one value');
    given.set(name, value);
  }
  return Object.fromEntries(given) as { readonly [name in Name]?: string };
}

/** The number of `limit`; 0, the contract's word for the default, where there is none. */
function readLimit(text: string | undefined): number {
  if (text === undefined || text === '') return 0;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > presetPages.maxLimit)
    throw invalidOption('limit', text, `1 to ${presetPages.maxLimit}`);
  return limit;
}

function presetJson({ name, aliases, family, numerics, outputs }: Preset) {
  return { name, aliases, family, numerics: numerics.map(numericsName), outputs };
}

/** The name of numerics in options and JSON: `pillow`, `torch`, … */
function numericsName(numerics: Numerics): string {
  return NumericsSchema.value[numerics]?.localName.toLowerCase() ?? 'unspecified';
}
