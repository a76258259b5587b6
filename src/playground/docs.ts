import { byId, element } from './page/element.ts';
import { setUpTheme } from './page/theme.ts';
import { badge, breakable, table } from './reference/elements.ts';
import type { Document } from './reference/openapi-types.ts';
import { idOf, renderOperation } from './reference/operation.ts';
import { presetsSection } from './reference/presets.ts';
import { renderSchema } from './reference/schema.ts';
import { setUpSearch } from './reference/search.ts';
import { origin } from './service/origin.ts';

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
  const tagged = (document.tags ?? []).map((tag) => ({
    ...tag,
    operations: operations.filter(({ operation }) => operation.tags?.includes(tag.name)),
  }));
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
    ...tagged.flatMap(({ name, description, operations: ofTag }) => [
      element('h2', { class: 'chapter', id: `tag-${name}` }, name),
      element('p', { class: 'note' }, description ?? ''),
      ...ofTag.map(({ path, method, operation }) => renderOperation(document, method, path, operation)),
    ]),
    presetsSection(),
    ...schemas.map(([name, schema]) =>
      element(
        'section',
        { class: 'operation', id: `schema-${name}` },
        element(
          'details',
          {},
          element(
            'summary',
            {},
            element('h2', {}, name),
            element('span', { class: 'note' }, schema.description ?? ''),
          ),
          ...renderSchema(schema),
        ),
      ),
    ),
  );
  const links = [
    ...tagged.flatMap(({ operations: ofTag }) =>
      ofTag.map(({ path, method, operation }) => ({
        href: idOf(method, path),
        label: [badge(method), ' ', breakable(path)],
        words: JSON.stringify([method, path, operation]),
      })),
    ),
    { href: 'presets', label: [badge('list'), ' ', 'Presets'], words: 'presets models' },
    ...schemas.map(([name, schema]) => ({
      href: `schema-${name}`,
      label: [badge('type'), ' ', name],
      words: JSON.stringify([name, schema]),
    })),
  ];
  setUpSearch(byId('contents', HTMLElement), links);
  addEventListener('hashchange', showFragment);
  // The browser looked for the fragment before the section existed.
  showFragment();
}

/** Opens the operation that the fragment names, and scrolls to it. */
function showFragment(): void {
  const target = globalThis.document.getElementById(location.hash.slice(1));
  const details = target?.querySelector('details');
  if (details) details.open = true;
  target?.scrollIntoView();
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
