import { element } from '../page/element.ts';
import { badge, breakable, scrolling, table } from './elements.ts';
import type { Document, Media, Operation, Parameter, Response } from './openapi-types.ts';
import { examplesOf, nameOf, plain, renderSchema, typeOf } from './schema.ts';
import { tryIt } from './try-it.ts';

/** An operation as a section of the page. */
export function renderOperation(
  document: Document,
  method: string,
  path: string,
  operation: Operation,
): HTMLElement {
  const { summary = '', description, parameters = [], requestBody, responses = {}, security } = operation;
  const id = idOf(method, path);
  const schemes = (security ?? []).flatMap((each) => Object.keys(each));
  const details = element(
    'details',
    {},
    element(
      'summary',
      {},
      element('h2', {}, badge(method), ' ', element('code', {}, breakable(path))),
      element('span', { class: 'note' }, summary),
    ),
    ...(description === undefined ? [] : [element('p', {}, description)]),
    tryIt(method, path, operation, id),
    ...(schemes.length === 0
      ? []
      : [element('p', { class: 'note' }, `Requires one of: ${schemes.join(', ')}.`)]),
    ...(parameters.length === 0 ? [] : [element('h3', {}, 'Parameters'), renderParameters(parameters)]),
    ...(requestBody?.content === undefined
      ? []
      : [
          element('h3', {}, requestBody.required === true ? 'Body' : 'Body, if any'),
          ...Object.entries(requestBody.content).map(([type, media]) => renderMedia(type, media)),
        ]),
    element('h3', {}, 'Responses'),
    ...Object.entries(responses).map(([status, response]) => renderResponse(document, status, response)),
  );
  return element('section', { class: 'operation', id, 'aria-label': `${method} ${path}` }, details);
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
    return element('p', { class: 'media' }, title, ' the bytes themselves');
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

function renderResponse(document: Document, status: string, response: Response): HTMLElement {
  const { description = '', headers = {}, content = {} } = response;
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
    { class: 'response' },
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

/** The id of an operation's section. */
export function idOf(method: string, path: string): string {
  return `${method}${path}`.replaceAll(/[^\w]+/g, '-').toLowerCase();
}
