import { describe, expect, it } from 'vitest';
import { addPassword, passwordOf } from '../../src/api/document-password.ts';
import { type Problem, problemOf, send, useTestApi } from '../support/api.ts';

const secret = 'sësam ☂ öffne dich';
const document = new File(['%PDF-1.7'], 'a.pdf', { type: 'application/pdf' });

const { processor, api } = await useTestApi();

function form(...fields: [name: string, value: string | Blob][]): FormData {
  const data = new FormData();
  for (const [name, value] of fields) data.append(name, value);
  return data;
}

/** Text as the bytes of UTF-8 in a header, as curl sends it. */
const inHeader = (text: string) => Buffer.from(text).toString('latin1');

async function post(
  body: NonNullable<RequestInit['body']>,
  headers: Record<string, string> = {},
  query = '',
): Promise<Response> {
  return await fetch(`${api.url}/v1/images${query}`, { method: 'POST', body, headers });
}

const password = () => processor.request().sourceOptions?.password;

describe(passwordOf, () => {
  it('takes it from a field of a form', async () => {
    await post(form(['image', document], ['password', secret], ['dpi', '72']));
    expect(processor.request().sourceOptions).toMatchObject({ password: secret, dpi: 72 });
  });

  it('takes it from a member of JSON, and from a form without files', async () => {
    const url = 'https://images.example/a.pdf';
    await post(JSON.stringify({ url, password: secret }), { 'Content-Type': 'application/json' });
    expect(password()).toBe(secret);
    processor.reset();
    await post(new URLSearchParams({ password: secret, url }));
    expect(password()).toBe(secret);
  });

  it('takes it from the header, in UTF-8 or in Latin-1, beside a body of bytes', async () => {
    await post(document, { 'X-Document-Password': inHeader(secret) });
    expect(password()).toBe(secret);
    processor.reset();
    await post(document, { 'X-Document-Password': 'sësam' });
    expect(password()).toBe('sësam');
  });

  it('sends none to the processor for an empty field', async () => {
    await post(form(['image', document], ['password', '']));
    expect(processor.request().sourceOptions).toBeUndefined();
  });

  it.each([
    ['two fields', () => post(form(['image', document], ['password', secret], ['password', secret]))],
    [
      'a field and the header',
      () => post(form(['image', document], ['password', secret]), { 'X-Document-Password': 'x' }),
    ],
  ])('refuses %s without repeating the password', async (_, call) => {
    const problem = await problemOf(await call());
    expect(problem).toMatchObject({ reason: 'OPTION_INVALID', metadata: { option: 'password', limit: '1' } });
    expectNoSecret(problem);
  });

  it.each([
    ['a query', () => post(document, {}, `?password=${encodeURIComponent(secret)}`)],
    [
      'the query of GET',
      () =>
        fetch(`${api.url}/v1/images?url=https://images.example/a.pdf&password=${encodeURIComponent(secret)}`),
    ],
    [
      'a variant',
      () => post(document, {}, `?variants=${encodeURIComponent(JSON.stringify([{ password: secret }]))}`),
    ],
  ])('refuses a password in %s, and repeats it nowhere', async (_, call) => {
    const problem = await problemOf(await call());
    expect(problem).toMatchObject({
      status: 400,
      reason: 'OPTION_INVALID',
      metadata: { option: 'password' },
    });
    expect(problem.detail).toContain('X-Document-Password');
    expect(processor.requests).toEqual([]);
    await api.accessLine(problem.instance);
    expectNoSecret(problem);
  });

  it('keeps the password out of the log, also when the call fails', async () => {
    processor.script.process = () => {
      throw new Error('broken');
    };
    const problem = await problemOf(await post(form(['image', document], ['password', secret])));
    expect((await api.accessLine(problem.instance)).status).toBe(problem.status);
    expectNoSecret(problem);
  });

  it('lets no cache keep the response, also of GET', async () => {
    const url = `${api.url}/v1/images?url=https://images.example/a.pdf`;
    const plain = await fetch(url);
    expect(plain.headers.get('cache-control')).toBe('public, no-cache');
    const response = await send(url, { headers: { 'X-Document-Password': secret.slice(0, 1) } });
    expect(response.headers['cache-control']).toBe('no-store');
  });
});

describe(addPassword, () => {
  it('compares the tensor of an encrypted page by the same fields', async () => {
    const body = form(['image', document], ['tensor', new Blob(['x'])], ['password', secret], ['page', '2']);
    await fetch(`${api.url}/v1/skew`, { method: 'POST', body }).then(async (response) => {
      // The scripted processor compares nothing.
      expect((await problemOf(response)).reason).not.toBe('OPTION_UNKNOWN');
    });
  });
});

function expectNoSecret(problem: Problem): void {
  const texts = [JSON.stringify(problem), ...api.lines.map((line) => JSON.stringify(line))];
  expect(texts.filter((text) => text.includes('sësam') || text.includes('dich'))).toEqual([]);
}
