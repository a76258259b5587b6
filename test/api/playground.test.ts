import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Hono } from 'hono';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiEnv } from '../../src/api/context.ts';
import { loadPlayground, servePlayground } from '../../src/api/playground.ts';
import { writeProblem } from '../../src/api/problems/problem.ts';

let folder: string;
let app: Hono<ApiEnv>;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'playground-'));
  for (const [name, text] of [
    ['index.html', '<p>plain'],
    ['index.html.gz', 'as gzip'],
    ['index.html.br', 'as brotli'],
    ['main-1a2b.js', 'plain()'],
  ] as const) {
    writeFileSync(join(folder, name), text);
  }
  app = serve(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

function serve(from: string): Hono<ApiEnv> {
  const playground = loadPlayground(from);
  const served = new Hono<ApiEnv>();
  served.onError((error, c) => writeProblem(c, error));
  served.get('/', servePlayground(playground, 'index.html'));
  served.get(
    '/playground/:file',
    servePlayground(playground, (c) => c.req.param('file') ?? ''),
  );
  return served;
}

describe(servePlayground, () => {
  it.each([
    ['gzip, deflate, br, zstd', 'br', 'as brotli'],
    ['gzip', 'gzip', 'as gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip', 'as gzip'],
    ['', null, '<p>plain'],
  ])('compresses for who says Accept-Encoding: %s', async (accepted, coding, body) => {
    const response = await app.request('/', { headers: { 'Accept-Encoding': accepted } });
    expect(response.headers.get('content-encoding')).toBe(coding);
    expect(response.headers.get('vary')).toBe('Accept-Encoding');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(await response.text()).toBe(body);
  });

  it('has a strong ETag for each coding, and sends nothing twice', async () => {
    const plain = await app.request('/');
    const brotli = await app.request('/', { headers: { 'Accept-Encoding': 'br' } });
    const etag = brotli.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[\w-]{43}"$/);
    expect(plain.headers.get('etag')).not.toBe(etag);
    const again = await app.request('/', {
      headers: { 'Accept-Encoding': 'br', 'If-None-Match': `"x", ${etag}` },
    });
    expect([again.status, await again.text()]).toEqual([304, '']);
    const changed = await app.request('/', { headers: { 'If-None-Match': etag } });
    expect(changed.status).toBe(200);
  });

  it('lets browsers ask for pages each time, and keep what has a digest in its name', async () => {
    const page = await app.request('/');
    const script = await app.request('/playground/main-1a2b.js');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
  });

  it('allows nothing from elsewhere and no script in the page', async () => {
    const policy = (await app.request('/')).headers.get('content-security-policy')?.split('; ');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy?.join()).not.toContain('unsafe');
  });

  it.each(['/playground/other.js', '/playground/..%2fpackage.json', '/playground/index.html.br'])(
    'has nothing at %s',
    async (path) => {
      const response = await app.request(path);
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ reason: 'ROUTE_UNKNOWN' });
    },
  );

  it('explains how to build it where it is not built', async () => {
    const response = await serve(join(folder, 'missing')).request('/');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      reason: 'ROUTE_UNKNOWN',
      detail: expect.stringContaining('npm run build:playground'),
    });
  });
});
