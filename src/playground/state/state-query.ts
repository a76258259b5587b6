import { imageOptions, isOptionName, maxVariants } from '../../options/image-options.ts';
import { rivalNames } from '../compare/rival-names.ts';
import { initialSettings, type Settings, settingWords } from '../form/settings.ts';
import { exampleNames } from '../skew/example-names.ts';
import { rawDatatypes } from '../skew/given.ts';
import { type GivenState, noGiven, type SourceName, type State } from './state.ts';
import { type View, views } from './view.ts';

/*
 * The state as the query of the page's address: `?preset=…&view=slider&url=…`. Values that equal the initial ones are
 * left out, so a plain address is the initial state. Settings have their own names, which for options are those of the API.
 */

/** Names in the query that are not settings. */
const names = {
  url: 'url',
  upload: 'file',
  sample: 'sample',
  selected: 'selected',
  view: 'view',
  rival: 'rival',
  other: 'other',
  example: 'example',
  tensor: 'tensor',
  tensorShape: 'tensor_shape',
  tensorDatatype: 'tensor_datatype',
} as const;

/** Servers refuse addresses that are much longer; a configuration that is longer is left out. In characters. */
const maxValueLength = 4000;

/** @param initial - the state of a plain address */
export function queryOf(state: State, initial: State): string {
  const query = new URLSearchParams();
  const isInitial = state.sources.length === 1 && state.sources[0]?.kind === 'sample';
  for (const source of isInitial ? [] : state.sources) query.append(...pairOf(source));
  if (state.selected !== 0) query.set(names.selected, String(state.selected));
  if (state.view !== initial.view) query.set(names.view, state.view);
  if (state.rival !== initial.rival) query.set(names.rival, state.rival);
  if (state.others !== initial.others) for (const name of state.others) query.append(names.other, name);
  for (const [name, value] of pairsOfGiven(state.given)) query.set(name, value);
  for (const [name, value] of Object.entries(state.settings)) {
    if (value === initial.settings[name as keyof Settings]) continue;
    const text = name === 'preprocessor_config' ? compact(String(value)) : String(value);
    if (text.length <= maxValueLength) query.set(name, text);
  }
  // Slashes and commas are allowed in a query (RFC 3986, 3.4), and are easier to read than their codes.
  return query.toString().replaceAll('%2F', '/').replaceAll('%2C', ',').replaceAll('%3A', ':');
}

/**
 * The state of an address. Unknown names are ignored, and so are words that a choice does not have.
 *
 * @param initial - the state of a plain address
 */
export function stateOf(search: string, initial: State): State {
  const query = new URLSearchParams(search);
  const sources = [...query].flatMap(([name, value]) => sourceOf(name, value));
  const selected = Number(query.get(names.selected));
  return {
    sources: sources.length === 0 ? initial.sources : sources,
    selected: Number.isInteger(selected) && selected > 0 && selected < sources.length ? selected : 0,
    settings: { ...initial.settings, ...settingsOf(query) },
    view: views.find((view): view is View => view === query.get(names.view)) ?? initial.view,
    rival: rivalNames.find((name) => name === query.get(names.rival)) ?? initial.rival,
    others: query.has(names.other) ? query.getAll(names.other).slice(0, maxVariants - 1) : initial.others,
    given: givenOf(query),
  };
}

function pairsOfGiven({ file, shape, datatype }: GivenState): (readonly [name: string, value: string])[] {
  if (file === undefined) return [];
  return [
    [file.kind === 'example' ? names.example : names.tensor, file.name],
    ...(shape === '' ? [] : [[names.tensorShape, shape] as const]),
    ...(datatype === '' ? [] : [[names.tensorDatatype, datatype] as const]),
  ];
}

function givenOf(query: URLSearchParams): GivenState {
  const example = exampleNames.find((name) => name === query.get(names.example));
  const upload = query.get(names.tensor);
  if (example !== undefined) return { ...noGiven, file: { kind: 'example', name: example } };
  if (upload === null || upload === '') return noGiven;
  const datatype = query.get(names.tensorDatatype);
  return {
    file: { kind: 'upload', name: upload },
    shape: query.get(names.tensorShape) ?? '',
    datatype: rawDatatypes.find((name) => name === datatype) ?? '',
  };
}

/** JSON without white space; other texts as they are. */
function compact(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch {
    return text;
  }
}

function pairOf(source: SourceName): [name: string, value: string] {
  switch (source.kind) {
    case 'sample':
      return [names.sample, ''];
    case 'url':
      return [names.url, source.url];
    case 'upload':
      return [names.upload, source.name];
  }
}

function sourceOf(name: string, value: string): SourceName[] {
  if (name === names.sample) return [{ kind: 'sample' }];
  if (value === '') return [];
  if (name === names.url) return [{ kind: 'url', url: value }];
  return name === names.upload ? [{ kind: 'upload', name: value }] : [];
}

function settingsOf(query: URLSearchParams): Partial<Settings> {
  const entries = Object.entries(initialSettings).flatMap(([name, initial]) => {
    const text = query.get(name);
    if (text === null) return [];
    if (typeof initial === 'boolean')
      return text === 'true' || text === 'false' ? [[name, text === 'true']] : [];
    return isAllowed(name, text) ? [[name, text]] : [];
  });
  return Object.fromEntries(entries);
}

/** Whether a text can be in a field. A number that the API refuses can: the page reports it like any other. */
function isAllowed(name: string, text: string): boolean {
  const choice = settingWords[name as keyof Settings];
  if (choice !== undefined) return choice.includes(text);
  if (!isOptionName(name)) return false;
  const { kind } = imageOptions[name];
  return !('words' in kind) || kind.parse(text) !== undefined;
}
