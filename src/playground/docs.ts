import { byId, element } from './element.ts';
import { origin } from './origin.ts';
import { badge, breakable, table } from './reference/elements.ts';
import type { Document } from './reference/openapi-types.ts';
import { idOf, renderOperation } from './reference/operation.ts';
import { presetsSection } from './reference/presets.ts';
import { renderSchema } from './reference/schema.ts';
import { setUpTheme } from './theme.ts';

/*
 * The page /docs: this instance's OpenAPI document. It renders the parts of OpenAPI that the document uses, and shows
 * other values as JSON.
 */

setUpTheme();
const reference = byId('reference', HTMLElement);
try {
  const response = await fetch(`${origin}/openapi.json`);
  if (!response.ok) throw new Error(`The response to openapi.json has the status ${response.status}.`);
  render((await response.json()) as Document);
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  reference.replaceChildren(
    element(
      'div',
      { class: 'problem', role: 'alert' },
      element('p', {}, element('strong', {}, 'The description of the API cannot be read')),
      element('p', {}, `${message} Check that image-api runs, then reload this page.`),
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
      'From the ',
      element('a', { href: 'openapi.json' }, 'openapi.json'),
      ' of this instance: the defaults and limits are its own.',
    ),
    ...renderSecurity(document),
    ...operations.map(({ path, method, operation }) => renderOperation(document, method, path, operation)),
    presetsSection(),
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
      element('li', {}, element('a', { href: 'docs#presets' }, badge('list'), ' ', 'Presets')),
      ...schemas.map(([name]) =>
        element('li', {}, element('a', { href: `docs#schema-${name}` }, badge('type'), ' ', name)),
      ),
    ),
  );
  // The browser looked for the fragment before the section existed.
  globalThis.document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function renderSecurity({ components }: Document): HTMLElement[] {
  const schemes = Object.entries(components?.securitySchemes ?? {});
  if (schemes.length === 0) return [];
  return [
    element(
      'section',
      { class: 'operation', id: 'security' },
      element('h2', {}, 'Authentication'),
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
