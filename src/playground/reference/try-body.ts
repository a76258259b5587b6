import { element } from '../page/element.ts';
import type { Media, Schema } from './openapi-types.ts';

/** A body to send; the browser writes the type of a form. */
interface Body {
  readonly type: string | undefined;
  readonly body: BodyInit;
}

/** The fields of a request's body. */
export interface BodyFields {
  readonly element: HTMLElement;
  /** @throws Error that says which field is missing */
  read(): Body;
}

/** Types that a browser can send: those with fields, text or a file. Messages in frames are for programs. */
const sendable = (type: string): boolean => !/proto|grpc/.test(type);

/** Fields for each content type of a body, with the document's examples to choose from. */
export function bodyFields(content: Readonly<Record<string, Media>>, id: string): BodyFields | undefined {
  const types = Object.keys(content).filter(sendable);
  const [first] = types;
  if (first === undefined) return undefined;
  const type = element('select', { id: `${id}-type` }, ...types.map((one) => element('option', {}, one)));
  const place = element('div', { class: 'body-fields' });
  let read: () => Body = () => ({ type: undefined, body: '' });
  const choose = (): void => {
    const media = content[type.value] ?? {};
    const chosen = isFile(media) ? fileField(type.value, id) : textField(type.value, media, id);
    place.replaceChildren(chosen.element);
    read = chosen.read;
  };
  type.addEventListener('change', choose);
  choose();
  return {
    element: element(
      'div',
      { class: 'fields' },
      element('div', { class: 'field' }, element('label', { for: type.id }, 'Content type'), type),
      place,
    ),
    read: () => read(),
  };
}

function isFile({ schema }: Media): boolean {
  return schema?.properties === undefined && schema?.type !== 'object';
}

function fileField(type: string, id: string): BodyFields {
  const file = element('input', { type: 'file', id: `${id}-file` });
  return {
    element: element('div', { class: 'field' }, element('label', { for: file.id }, 'File'), file),
    read: () => {
      const body = chosenFile(file);
      return { type: type.includes('*') ? body.type || 'application/octet-stream' : type, body };
    },
  };
}

/** JSON of the fields, and a file where a form has one. */
function textField(type: string, { schema, example, examples }: Media, id: string): BodyFields {
  const fileName = fileProperty(schema);
  const named = Object.entries(examples ?? (example === undefined ? {} : { example: { value: example } }));
  const text = element('textarea', { id: `${id}-json`, rows: '7', spellcheck: 'false' });
  const file = element('input', { type: 'file', id: `${id}-file` });
  const choice = element(
    'select',
    { id: `${id}-example` },
    ...named.map(([name, { summary }]) => element('option', { value: name }, summary ?? name)),
  );
  const fill = (): void => {
    const value = named.find(([name]) => name === choice.value)?.[1].value ?? {};
    const fields = Object.entries(value).filter(([name]) => name !== fileName);
    text.value = JSON.stringify(Object.fromEntries(fields), null, 2);
  };
  choice.addEventListener('change', fill);
  fill();
  const field = (label: string, input: HTMLElement) =>
    element('div', { class: 'field' }, element('label', { for: input.id }, label), input);
  return {
    element: element(
      'div',
      { class: 'fields' },
      ...(named.length > 1 ? [field('Example', choice)] : []),
      ...(fileName === undefined ? [] : [field(`${fileName}, a file`, file)]),
      field(type.endsWith('json') ? 'JSON' : 'Fields, as JSON', text),
    ),
    read: () => {
      if (type.endsWith('json')) return { type, body: text.value };
      const fields = Object.entries(JSON.parse(text.value) as Record<string, unknown>).map(
        ([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)] as const,
      );
      if (type === 'application/x-www-form-urlencoded') {
        return { type, body: new URLSearchParams(fields.map(([name, value]) => [name, value])) };
      }
      const form = new FormData();
      for (const [name, value] of fields) form.set(name, value);
      if (fileName !== undefined && !form.has('url')) form.set(fileName, chosenFile(file));
      return { type: undefined, body: form };
    },
  };
}

/** The property of a form that is a file. */
function fileProperty(schema: Schema | undefined): string | undefined {
  const properties = Object.entries(schema?.properties ?? {});
  return properties.find(([, { contentMediaType }]) => contentMediaType === 'application/octet-stream')?.[0];
}

function chosenFile({ files }: HTMLInputElement): File {
  const file = files?.[0];
  if (file === undefined) throw new Error('Choose a file first.');
  return file;
}
