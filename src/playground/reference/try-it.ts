import { element } from '../page/element.ts';
import { bytes } from '../page/figures.ts';
import { origin } from '../service/origin.ts';
import type { Media, Operation, Parameter, Schema } from './openapi-types.ts';
import { type BodyFields, bodyFields } from './try-body.ts';

/** Text of a response that is shown; more would make the page slow. */
const shownCharacters = 20_000;

/** A form that sends a request of an operation to this instance, and shows its response. */
export function tryIt(method: string, path: string, operation: Operation, id: string): HTMLElement {
  const { parameters = [], requestBody, security = [] } = operation;
  const fields = parameters.map((parameter) => ({
    parameter,
    input: inputOf(parameter.schema, parameter, id),
  }));
  const body = requestBody?.content && bodyFields(requestBody.content as Record<string, Media>, id);
  const key = element('input', { type: 'password', id: `${id}-key`, autocomplete: 'off' });
  const given = element('div', { class: 'fields' });
  for (const { parameter, input } of fields.filter(
    ({ parameter: { required, example } }) => required || example !== undefined,
  )) {
    given.append(labelled(parameter.name, input, parameter.required === true));
  }
  const more = fields.filter(({ parameter: { required, example } }) => !required && example === undefined);
  const result = element('div', { class: 'try-result', 'aria-live': 'polite' });
  const send = element('button', { type: 'submit', class: 'primary' }, 'Send');
  const form = element(
    'form',
    { class: 'try', autocomplete: 'off' },
    given,
    ...(body === undefined ? [] : [body.element]),
    ...(more.length === 0
      ? []
      : [
          element(
            'details',
            {},
            element('summary', {}, `${more.length} more parameters`),
            element(
              'div',
              { class: 'fields' },
              ...more.map(({ parameter, input }) => labelled(parameter.name, input, false)),
            ),
          ),
        ]),
    ...(security.length === 0 ? [] : [labelled('API key', key, false)]),
    send,
  );
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const values = fields
      .map(({ parameter, input }) => [parameter, input.value] as const)
      .filter(([, value]) => value !== '');
    void show(result, send, () => request(method, path, values, body, key.value));
  });
  return element('details', { class: 'try-it' }, element('summary', {}, 'Try it'), form, result);
}

async function request(
  method: string,
  path: string,
  values: readonly (readonly [Parameter, string])[],
  body: BodyFields | undefined,
  key: string,
): Promise<Response> {
  const filled = values
    .filter(([parameter]) => parameter.in === 'path')
    .reduce((text, [{ name }, value]) => text.replace(`{${name}}`, encodeURIComponent(value)), path);
  const query = new URLSearchParams(
    values.filter(([parameter]) => parameter.in === 'query').map(([{ name }, value]) => [name, value]),
  );
  const headers = new Headers(
    values.filter(([parameter]) => parameter.in === 'header').map(([{ name }, value]) => [name, value]),
  );
  if (key !== '') headers.set('X-API-Key', key);
  const content = body?.read();
  if (content?.type !== undefined) headers.set('Content-Type', content.type);
  const url = `${origin}${filled}${query.size > 0 ? `?${query}` : ''}`;
  return fetch(url, { method, headers, body: content?.body ?? null });
}

async function show(
  result: HTMLElement,
  send: HTMLButtonElement,
  ask: () => Promise<Response>,
): Promise<void> {
  send.disabled = true;
  for (const image of result.querySelectorAll('img')) URL.revokeObjectURL(image.src);
  try {
    const response = await ask();
    const content = await response.blob();
    const type = content.type.replace(/;.*/, '');
    result.replaceChildren(
      element(
        'p',
        { class: `status ${response.ok ? 'good' : 'bad'}` },
        `${response.status} ${response.statusText} · ${type} · ${bytes(content.size)}`,
      ),
      await contentOf(type, content),
      headersOf(response),
    );
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    result.replaceChildren(element('p', { class: 'status bad', role: 'alert' }, `No response: ${message}`));
  } finally {
    send.disabled = false;
  }
}

/** An image as an image, text as text, and a link to save anything else. */
async function contentOf(type: string, content: Blob): Promise<HTMLElement> {
  if (content.size === 0) return element('p', { class: 'note' }, 'The response has no body.');
  if (type.startsWith('image/')) {
    return element('img', { src: URL.createObjectURL(content), alt: 'The image of the response' });
  }
  if (type.startsWith('text/') || type.endsWith('json')) {
    const text = await content.text();
    const pretty = type.endsWith('json') ? JSON.stringify(JSON.parse(text), null, 2) : text;
    return preformatted(pretty.slice(0, shownCharacters), 'Body of the response');
  }
  const extension = type.replace(/^.*[./-]/, '');
  return element(
    'a',
    { href: URL.createObjectURL(content), download: `response.${extension}`, class: 'button' },
    'Save the body',
  );
}

function headersOf(response: Response): HTMLElement {
  const lines = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  return element(
    'details',
    {},
    element('summary', {}, 'Headers'),
    preformatted(lines, 'Headers of the response'),
  );
}

/** Text that scrolls within itself. */
function preformatted(text: string, label: string): HTMLElement {
  return element('pre', { class: 'scrolling', tabindex: '0', role: 'region', 'aria-label': label }, text);
}

/** The field of a value: a choice where the schema lists the values. */
function inputOf(
  schema: Schema = {},
  { name, example }: { readonly name: string; readonly example?: unknown },
  id: string,
): HTMLInputElement | HTMLSelectElement {
  const words = schema.enum ?? (schema.type === 'boolean' ? ['true', 'false'] : undefined);
  const value = example === undefined ? '' : String(example);
  const field = { id: `${id}-${name}`, name };
  if (words === undefined) {
    const placeholder = schema.default === undefined ? undefined : String(schema.default);
    return element('input', { ...field, type: 'text', value, placeholder, spellcheck: 'false' });
  }
  const options = ['', ...words.map(String)];
  return element(
    'select',
    field,
    ...options.map((word) =>
      element('option', { value: word, selected: word === value }, word === '' ? 'not sent' : word),
    ),
  );
}

function labelled(name: string, input: HTMLElement, isRequired: boolean): HTMLElement {
  return element(
    'div',
    { class: 'field' },
    element(
      'label',
      { for: input.id },
      name,
      ...(isRequired ? [' ', element('span', { class: 'required' }, 'required')] : []),
    ),
    input,
  );
}
