import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { ApiEnv } from '../../src/api/context.ts';
import { negotiate } from '../../src/api/negotiate.ts';

const app = new Hono<ApiEnv>();
app.get('/', (c) => c.text(negotiate(c, ['application/json', 'text/html'])));

describe(negotiate, () => {
  it.each([
    [undefined, 'application/json'],
    ['*/*', 'application/json'],
    ['text/html', 'text/html'],
    ['TEXT/HTML', 'text/html'],
    ['text/*', 'text/html'],
    ['text/html;level=1;q=0.4', 'text/html'],
    ['image/png', 'application/json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['application/json;q=0.5, text/html;q=0.4', 'application/json'],
    ['application/json;q=0.4, text/html;q=0.5', 'text/html'],
    ['text/html;q=0.1, */*', 'application/json'],
    ['application/json;q=0, */*', 'text/html'],
    ['text/html;q=0', 'application/json'],
    ['text/html;q=0, text/*', 'application/json'],
    [',;q=,', 'application/json'],
  ])('reads Accept: %s as %s', async (accept, type) => {
    const response = await app.request('/', accept === undefined ? {} : { headers: { accept } });
    expect(await response.text()).toBe(type);
    expect(response.headers.get('vary')).toBe('Accept');
  });
});
