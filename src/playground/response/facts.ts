import {
  CacheState,
  ImageFormatSchema,
  type ProcessResponse,
  type StageTime,
} from '../../../gen/image/v1/processor_pb.ts';
import { byId, element } from '../page/element.ts';
import { bytes, milliseconds } from '../page/figures.ts';

const cacheWords: Readonly<Record<CacheState, string>> = {
  [CacheState.UNSPECIFIED]: 'unknown',
  [CacheState.MISS]: 'cache miss',
  [CacheState.HIT_MEMORY]: 'cache hit in memory',
  [CacheState.HIT_REDIS]: 'cache hit in Redis',
  [CacheState.HIT_STORE]: 'cache hit in object storage',
  [CacheState.SHARED]: 'shared with an equal request',
};

/** The stages of the runs that computed responses, by the keys of the responses. */
const computedStages = new Map<string, readonly StageTime[]>();

/** The cache's state in words. */
export function describeCache(state: CacheState): string {
  return cacheWords[state] ?? 'unknown';
}

/** Shows the description of a response. @param roundTripMs - as measured by this page */
export function showFacts(response: ProcessResponse, roundTripMs: number): void {
  if (response.cache === CacheState.MISS) computedStages.set(response.key, response.stages);
  byId('facts', HTMLElement).replaceChildren(
    list(rowsOf(response, roundTripMs)),
    ...stageTimes(response),
    provenanceOf(response),
  );
}

function rowsOf(response: ProcessResponse, roundTripMs: number): [string, string][] {
  const { source, content, contentType, width, height, cache } = response;
  const [tensor, ...others] = response.tensors;
  const more = others.length === 0 ? '' : ` and ${others.length} more`;
  const result =
    tensor === undefined
      ? `${contentType.replace('image/', '')}, ${width} × ${height}`
      : `${tensor.datatype} [${tensor.shape.join(', ')}]${more}`;
  return [
    ...(source === undefined ? [] : [['Source', describeSource(source)] as [string, string]]),
    ['Result', `${result}, ${bytes(content.length)}`],
    ['Cache', describeCache(cache)],
    ['Round trip', milliseconds(roundTripMs)],
  ];
}

function describeSource({
  format,
  width,
  height,
  bytes: length,
}: NonNullable<ProcessResponse['source']>): string {
  const name = (ImageFormatSchema.value[format]?.localName ?? 'image').toLowerCase();
  return `${name}, ${width} × ${height}, ${bytes(Number(length))}`;
}

function list(rows: readonly (readonly [string, string])[]): HTMLElement {
  return element(
    'dl',
    { class: 'rows' },
    ...rows.map(([term, text]) => element('div', {}, element('dt', {}, term), element('dd', {}, text))),
  );
}

/**
 * The stages one after another on one time axis. A cache hit has only those of its look-up, so the run that computed the
 * response is shown.
 */
function stageTimes({ stages, cache, key }: ProcessResponse): HTMLElement[] {
  const isComputed = cache === CacheState.MISS;
  const computed = isComputed ? stages : computedStages.get(key);
  const title = element('h3', {}, 'Stages');
  if (computed === undefined) {
    const text =
      'The response was cached before this page was opened. Change a setting to see the stages of a run.';
    return [title, element('p', { class: 'note' }, text)];
  }
  const lookUp = stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
  const note = `The run that computed this response. This time it came from the cache in ${milliseconds(lookUp)}.`;
  return [title, ...(isComputed ? [] : [element('p', { class: 'note' }, note)]), waterfall(computed)];
}

function waterfall(stages: readonly StageTime[]): HTMLElement {
  const total = stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
  let start = 0;
  const rows = stages.map(({ name, durationMs }) => {
    const meter = element('span', { class: 'meter', 'aria-hidden': 'true' });
    meter.style.setProperty('--start', String(total === 0 ? 0 : start / total));
    meter.style.setProperty('--share', String(total === 0 ? 0 : durationMs / total));
    start += durationMs;
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, name),
      element('td', { class: 'meter-cell' }, meter),
      element('td', { class: 'number' }, milliseconds(durationMs)),
    );
  });
  const sum = element(
    'tr',
    {},
    element('th', { scope: 'row' }, 'total'),
    element('td', {}),
    element('td', { class: 'number' }, milliseconds(total)),
  );
  return element(
    'table',
    { class: 'stages' },
    element('caption', { class: 'hidden' }, 'Duration of each stage'),
    element('tbody', {}, ...rows),
    element('tfoot', {}, sum),
  );
}

function provenanceOf({ source, provenance, key }: ProcessResponse): HTMLElement {
  const libraries = Object.entries(provenance?.libraries ?? {}).map(
    ([name, version]) => `${name} ${version}`,
  );
  const decisions = provenance?.decisions ?? [];
  return element(
    'details',
    {},
    element('summary', {}, 'Provenance'),
    list([
      ['Decisions', decisions.length === 0 ? 'none' : decisions.join(', ')],
      ['Numerics', provenance?.numericsVersion ?? ''],
      ['Libraries', libraries.join(', ')],
      ['Source SHA-256', source?.sha256 ?? ''],
      ['Cache key', key],
    ]),
  );
}
