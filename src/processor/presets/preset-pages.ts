import { invalidOption } from '../../options/invalid-option.ts';
import { presetPages } from '../../options/preset-pages.ts';
import type { Preset } from './preset.ts';
import { keyOf } from './preset-names.ts';
import { orderOf, type Presets } from './presets.ts';

/** A part of the list of presets. */
export interface PresetPage {
  readonly presets: readonly Preset[];
  /** The cursor of the next page; empty on the last one. */
  readonly nextCursor: string;
}

/**
 * A page of the presets whose name, aliases or family contain all words of a query, in the order of the names.
 *
 * @param page.q - the query
 * @param page.limit - presets of the page; 0: the default
 * @param page.cursor - empty: the first one. It is the order of the last preset before the page, so pages stay
 *   consecutive if the list differs between two processors
 * @throws OPTION_INVALID
 */
export function pageOfPresets(
  presets: Presets,
  { q, limit, cursor }: { q: string; limit: number; cursor: string },
): PresetPage {
  const { maxLimit, defaultLimit, maxQuery } = presetPages;
  if (limit > maxLimit) throw invalidOption('limit', limit, `1 to ${maxLimit}`);
  if (q.length > maxQuery) throw invalidOption('q', `${q.length} characters`, `at most ${maxQuery}`);
  if (cursor.length > maxQuery) {
    throw invalidOption('cursor', `${cursor.length} characters`, 'the next_cursor of a response');
  }
  const words = keyOf(q).split(/\s+/).filter(Boolean);
  const found = presets.all.filter(
    (preset) => orderOf(preset) > cursor && words.every((word) => textOf(preset).includes(word)),
  );
  const most = limit === 0 ? defaultLimit : limit;
  const page = found.slice(0, most);
  const last = page.at(-1);
  return { presets: page, nextCursor: found.length > most && last !== undefined ? orderOf(last) : '' };
}

function textOf({ name, aliases, family }: Preset): string {
  return [name, ...aliases, family].map(keyOf).join('\n');
}
