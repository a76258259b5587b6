import { CacheState, ImageFormatSchema, type ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import { byId, element } from './element.ts';
import { bytes, milliseconds } from './figures.ts';

const cacheWords: Readonly<Record<CacheState, string>> = {
  [CacheState.UNSPECIFIED]: 'unknown',
  [CacheState.MISS]: 'made now',
  [CacheState.HIT_MEMORY]: 'from memory',
  [CacheState.HIT_REDIS]: 'from Redis',
  [CacheState.SHARED]: 'made once for several callers',
};

/** The cache's state in words. */
export function describeCache(state: CacheState): string {
  return cacheWords[state] ?? 'unknown';
}

/** Shows the description of a response. @param roundTripMs - as measured by this page */
export function showFacts(response: ProcessResponse, roundTripMs: number): void {
  const { source } = response;
  const [tensor] = response.tensors;
  const format =
    source === undefined ? '' : (ImageFormatSchema.value[source.format]?.localName ?? 'image').toLowerCase();
  const rows: [string, string][] = [
    ...(source === undefined
      ? []
      : ([['Source', `${format}, ${source.width} × ${source.height}, ${bytes(Number(source.bytes))}`]] as [
          string,
          string,
        ][])),
    [
      'Result',
      tensor === undefined
        ? `${response.contentType.replace('image/', '')}, ${response.width} × ${response.height}, ${bytes(response.content.length)}`
        : `${tensor.datatype} [${tensor.shape.join(', ')}], ${bytes(response.content.length)}`,
    ],
    ['Cache', describeCache(response.cache)],
    ['Round trip', `${milliseconds(roundTripMs)} as measured by this page`],
  ];
  byId('facts', HTMLElement).replaceChildren(list(rows), ...stageTimes(response), provenanceOf(response));
}

function list(rows: readonly (readonly [string, string])[]): HTMLElement {
  return element(
    'dl',
    { class: 'rows' },
    ...rows.map(([term, text]) => element('div', {}, element('dt', {}, term), element('dd', {}, text))),
  );
}

/** One bar per stage, all on one scale. */
function stageTimes({ stages }: ProcessResponse): HTMLElement[] {
  if (stages.length === 0) return [];
  const longest = Math.max(...stages.map(({ durationMs }) => durationMs));
  const total = stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const rows = stages.map(({ name, durationMs }) => {
    const meter = element('span', { class: 'meter', 'aria-hidden': 'true' });
    meter.style.setProperty('--share', String(longest === 0 ? 0 : durationMs / longest));
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, name),
      element('td', { class: 'meter-cell' }, meter),
      element('td', { class: 'number' }, milliseconds(durationMs)),
    );
  });
  return [
    element('h3', {}, 'Stages'),
    element(
      'table',
      { class: 'stages' },
      element('caption', { class: 'hidden' }, 'How long each stage took'),
      element('tbody', {}, ...rows),
      element(
        'tfoot',
        {},
        element(
          'tr',
          {},
          element('th', { scope: 'row' }, 'all'),
          element('td', {}),
          element('td', { class: 'number' }, milliseconds(total)),
        ),
      ),
    ),
  ];
}

function provenanceOf({ source, provenance, key }: ProcessResponse): HTMLElement {
  const libraries = Object.entries(provenance?.libraries ?? {}).map(
    ([name, version]) => `${name} ${version}`,
  );
  const decisions = provenance?.decisions ?? [];
  return element(
    'div',
    {},
    element('h3', {}, 'Provenance'),
    list([
      ['Decisions', decisions.length === 0 ? 'none: the source is plain' : decisions.join(', ')],
      ['Numerics', provenance?.numericsVersion ?? ''],
      ['Libraries', libraries.join(', ')],
      ['Source SHA-256', source?.sha256 ?? ''],
      ['Response’s key', key],
    ]),
  );
}
