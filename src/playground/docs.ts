import { byId, element } from './element.ts';
import { origin } from './origin.ts';
import { setUpTheme } from './theme.ts';

/*
 * /docs: this instance's own OpenAPI document as a page. It knows OpenAPI as far as the document goes, and
 * shows what it does not know as JSON.
 */

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly contentMediaType?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly example?: unknown;
  readonly examples?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly oneOf?: readonly Schema[];
  readonly anyOf?: readonly Schema[];
}

interface Media {
  readonly schema?: Schema;
  readonly example?: unknown;
  readonly examples?: Readonly<Record<string, { readonly summary?: string; readonly value?: unknown }>>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly description?: string;
  readonly schema?: Schema;
  readonly example?: unknown;
}

interface Answer {
  readonly description?: string;
  readonly headers?: Readonly<Record<string, { readonly $ref?: string; readonly description?: string }>>;
  readonly content?: Readonly<Record<string, Media>>;
}

interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly security?: readonly Readonly<Record<string, unknown>>[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content?: Readonly<Record<string, Media>> };
  readonly responses?: Readonly<Record<string, Answer>>;
}

interface Document {
  readonly info: { readonly title: string; readonly version: string; readonly summary?: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components?: {
    readonly schemas?: Readonly<Record<string, Schema>>;
    readonly headers?: Readonly<Record<string, { readonly description?: string }>>;
    readonly securitySchemes?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  };
}

setUpTheme();
const reference = byId('reference', HTMLElement);
try {
  const response = await fetch(`${origin}/openapi.json`);
  if (!response.ok) throw new Error(`openapi.json was answered with ${response.status}.`);
  render((await response.json()) as Document);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  reference.replaceChildren(
    element(
      'div',
      { class: 'problem', role: 'alert' },
      element('p', {}, element('strong', {}, 'The description of the API cannot be read')),
      element('p', {}, `${message} See that image-api runs, then reload this page.`),
    ),
  );
}

function render(document: Document): void {
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  );
  const schemas = Object.entries(document.components?.schemas ?? {});
  reference.replaceChildren(
    element('h1', {}, `${document.info.title} ${document.info.version}`),
    element('p', { class: 'lead' }, document.info.summary ?? ''),
    element(
      'p',
      { class: 'note' },
      'From this instance’s own ',
      element('a', { href: 'openapi.json' }, 'openapi.json'),
      ': defaults and limits are those in force here.',
    ),
    ...renderSecurity(document),
    ...operations.map(({ path, method, operation }) => renderOperation(document, method, path, operation)),
    ...schemas.map(([name, schema]) =>
      element(
        'section',
        { class: 'operation', id: `schema-${name}` },
        element('h2', {}, name),
        element('p', {}, schema.description ?? ''),
        ...renderSchema(schema),
      ),
    ),
  );
  byId('contents', HTMLElement).replaceChildren(
    element(
      'ul',
      {},
      ...operations.map(({ path, method }) =>
        element(
          'li',
          {},
          element('a', { href: `docs#${idOf(method, path)}` }, badge(method), ' ', breakable(path)),
        ),
      ),
      ...schemas.map(([name]) =>
        element('li', {}, element('a', { href: `docs#schema-${name}` }, badge('type'), ' ', name)),
      ),
    ),
  );
  // The browser looked for it before it was there.
  globalThis.document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function renderSecurity({ components }: Document): HTMLElement[] {
  const schemes = Object.entries(components?.securitySchemes ?? {});
  if (schemes.length === 0) return [];
  return [
    element(
      'section',
      { class: 'operation', id: 'security' },
      element('h2', {}, 'Who may call'),
      table(
        ['Scheme', 'How', 'What'],
        schemes.map(([name, scheme]) => [
          element('code', {}, name),
          scheme.type === 'http' ? 'Authorization: Bearer …' : `${scheme.in} ${scheme.name}`,
          String(scheme.description ?? ''),
        ]),
      ),
    ),
  ];
}

function renderOperation(
  document: Document,
  method: string,
  path: string,
  operation: Operation,
): HTMLElement {
  const { summary = '', description, parameters = [], requestBody, responses = {}, security } = operation;
  const id = idOf(method, path);
  const schemes = (security ?? []).flatMap((each) => Object.keys(each));
  return element(
    'section',
    { class: 'operation', id, 'aria-labelledby': `${id}-title` },
    element('h2', { id: `${id}-title` }, badge(method), ' ', element('code', {}, breakable(path))),
    element('p', {}, summary, summary === '' || summary.endsWith('.') ? '' : '.', ' ', description ?? ''),
    ...(schemes.length === 0
      ? []
      : [element('p', { class: 'note' }, `Asks for one of: ${schemes.join(', ')}.`)]),
    ...(parameters.length === 0 ? [] : [element('h3', {}, 'Parameters'), renderParameters(parameters)]),
    ...(requestBody?.content === undefined
      ? []
      : [
          element('h3', {}, requestBody.required === true ? 'Body' : 'Body, if any'),
          ...Object.entries(requestBody.content).map(([type, media]) => renderMedia(type, media)),
        ]),
    element('h3', {}, 'Answers'),
    ...Object.entries(responses).map(([status, answer]) => renderAnswer(document, status, answer)),
  );
}

function renderParameters(parameters: readonly Parameter[]): HTMLElement {
  return table(
    ['Name', 'In', 'Type', 'Default', 'Meaning'],
    parameters.map(({ name, in: place, required, description, schema = {}, example }) => [
      nameOf(name, required === true),
      place,
      typeOf(schema),
      plain(schema.default),
      [description ?? '', ...examplesOf(schema, example)].filter((text) => text !== '').join(' '),
    ]),
  );
}

function renderMedia(type: string, media: Media): HTMLElement {
  const { schema, example, examples = {} } = media;
  const shown = [
    ...(example === undefined ? [] : [renderExample('Example', example)]),
    ...Object.entries(examples).map(([name, { summary, value }]) => renderExample(summary ?? name, value)),
  ];
  const title = element('code', {}, type);
  if (schema === undefined && shown.length === 0) {
    return element('p', { class: 'media' }, title, ' the bytes as they are');
  }
  if (schema?.$ref !== undefined && shown.length === 0) {
    return element('p', { class: 'media' }, title, ' ', typeOf(schema));
  }
  return element(
    'details',
    { class: 'media' },
    element('summary', {}, title),
    ...(schema?.description === undefined ? [] : [element('p', {}, schema.description)]),
    ...(schema === undefined ? [] : renderSchema(schema)),
    ...shown,
  );
}

function renderExample(title: string, value: unknown): HTMLElement {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 2);
  return element('figure', {}, element('figcaption', {}, title), scrolling(element('pre', {}, text), title));
}

function renderAnswer(document: Document, status: string, answer: Answer): HTMLElement {
  const { description = '', headers = {}, content = {} } = answer;
  const rows = Object.entries(headers).map(([name, header]) => {
    const known = document.components?.headers?.[header.$ref?.split('/').at(-1) ?? ''];
    return [element('code', {}, name), header.description ?? known?.description ?? ''];
  });
  const reasons = description.split('. ').map((part) => /^([A-Z_]+): (.*)$/s.exec(part));
  const words = reasons.every((reason) => reason !== null)
    ? [
        element(
          'ul',
          { class: 'reasons' },
          ...reasons.map((reason) =>
            element('li', {}, element('code', {}, reason?.[1] ?? ''), ` ${reason?.[2] ?? ''}`),
          ),
        ),
      ]
    : [element('p', {}, description)];
  const isGood = status.startsWith('2') || status.startsWith('3');
  return element(
    'div',
    { class: 'answer' },
    element('p', { class: `status ${isGood ? 'good' : 'bad'}` }, status),
    element(
      'div',
      {},
      ...words,
      ...Object.entries(content).map(([type, media]) => renderMedia(type, media)),
      ...(rows.length === 0
        ? []
        : [element('details', {}, element('summary', {}, 'Headers'), table(['Header', 'Meaning'], rows))]),
    ),
  );
}

function renderSchema(schema: Schema): HTMLElement[] {
  const { properties, required = [], oneOf } = schema;
  if (properties === undefined) return [element('p', {}, typeOf(schema))];
  const choice = oneOf?.map((each) => each.required?.join(' and ')).join(', or ');
  return [
    ...(choice === undefined || choice === '' ? [] : [element('p', { class: 'note' }, `Needs ${choice}.`)]),
    table(
      ['Name', 'Type', 'Default', 'Meaning'],
      Object.entries(properties).map(([name, property]) => [
        nameOf(name, required.includes(name)),
        typeOf(property),
        plain(property.default),
        [property.description ?? '', ...examplesOf(property, undefined)]
          .filter((text) => text !== '')
          .join(' '),
      ]),
    ),
  ];
}

/** A type in words: `integer 1 … 65535`, `one of fill, cover`. */
function typeOf(schema: Schema): Node | string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return element('a', { href: `docs#schema-${name}` }, name);
  }
  if (schema.enum !== undefined) {
    const words = element('span', { class: 'words' });
    for (const [index, word] of schema.enum.entries()) {
      words.append(...(index === 0 ? [] : [' ']), element('code', {}, String(word)));
    }
    return words;
  }
  const { type, items, minimum, maximum, maxLength, pattern, contentMediaType, format } = schema;
  const name = Array.isArray(type) ? type.join(' or ') : (type ?? 'anything');
  const range = minimum === undefined && maximum === undefined ? '' : ` ${minimum ?? ''} … ${maximum ?? ''}`;
  const rest = [
    ...(items === undefined ? [] : [`of ${plain(items.type)}`]),
    ...(format === undefined ? [] : [format]),
    ...(contentMediaType === undefined ? [] : ['bytes']),
    ...(maxLength === undefined ? [] : [`at most ${maxLength} characters`]),
    // \S says no more than that it is not empty.
    ...(pattern === undefined || pattern === '\\S' ? [] : [pattern]),
  ];
  return `${name}${range}${rest.length === 0 ? '' : `, ${rest.join(', ')}`}`;
}

function examplesOf({ example, examples = [] }: Schema, own: unknown): string[] {
  const all = [own, example, ...examples].filter((each) => each !== undefined);
  return all.length === 0 ? [] : [`Example: ${all.map(plain).join(', ')}.`];
}

function nameOf(name: string, isRequired: boolean): HTMLElement {
  const code = element('code', {}, name);
  return isRequired ? element('span', {}, code, ' ', element('span', { class: 'needed' }, 'needed')) : code;
}

function table(heads: readonly string[], rows: readonly (readonly (Node | string)[])[]): HTMLElement {
  return scrolling(
    element(
      'table',
      { class: 'reference-table' },
      element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
      element(
        'tbody',
        {},
        ...rows.map((cells) =>
          element(
            'tr',
            {},
            ...cells.map((cell, index) =>
              index === 0
                ? element('th', { scope: 'row' }, cell)
                : element('td', { 'data-head': heads[index] }, cell),
            ),
          ),
        ),
      ),
    ),
    heads.join(', '),
  );
}

/** What is too wide is scrolled by itself, with the keyboard too. */
function scrolling(inner: HTMLElement, label: string): HTMLElement {
  return element('div', { class: 'scrolling', tabindex: '0', role: 'region', 'aria-label': label }, inner);
}

function badge(method: string): HTMLElement {
  return element('span', { class: `method ${method.toLowerCase()}` }, method);
}

/** A path that may be broken after its slashes and dots. */
function breakable(path: string): HTMLElement {
  const parts = path.split(/(?<=[/.])/).flatMap((part) => [part, element('wbr')]);
  return element('span', {}, ...parts);
}

function plain(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function idOf(method: string, path: string): string {
  return `${method}${path}`.replaceAll(/[^\w]+/g, '-').toLowerCase();
}
