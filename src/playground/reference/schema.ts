import { element } from '../page/element.ts';
import { table } from './elements.ts';
import type { Schema } from './openapi-types.ts';

/** A schema: its type, or the table of its properties. */
export function renderSchema(schema: Schema): HTMLElement[] {
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

/** A type for people: `integer 1 … 65535`, or the words of an enum. */
export function typeOf(schema: Schema): Node | string {
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
    ...(pattern === undefined ? [] : [pattern]),
  ];
  return `${name}${range}${rest.length === 0 ? '' : `, ${rest.join(', ')}`}`;
}

/** A schema's examples in one sentence. @param own - the example of the parameter itself */
export function examplesOf({ example, examples = [] }: Schema, own: unknown): string[] {
  const all = [own, example, ...examples].filter((each) => each !== undefined);
  return all.length === 0 ? [] : [`Example: ${all.map(plain).join(', ')}.`];
}

/** A name, marked if it is required. */
export function nameOf(name: string, isRequired: boolean): HTMLElement {
  const code = element('code', {}, name);
  return isRequired
    ? element('span', {}, code, ' ', element('span', { class: 'required' }, 'required'))
    : code;
}

/** A value as text; empty for undefined. */
export function plain(value: unknown): string {
  if (value === undefined) return '';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
