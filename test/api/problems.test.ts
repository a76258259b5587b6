import { describe, expect, it } from 'vitest';
import { failureTexts, metadataMembers } from '../../src/api/problems/failure-texts.ts';
import { problemExamples } from '../../src/api/problems/problem-examples.ts';
import { serveProblems } from '../../src/api/problems/serve-problems.ts';
import { failureKinds } from '../../src/failures.ts';
import { problemOf, useTestApi } from '../support/api.ts';

const { api } = await useTestApi();
const reasons = Object.keys(failureKinds);

function get(path: string, accept: string, init: RequestInit = {}): Promise<Response> {
  return fetch(api.url + path, { ...init, headers: { accept, ...init.headers } });
}

describe(serveProblems, () => {
  it("is where a problem's type leads", async () => {
    const response = await get('/problems/OVERLOADED', '*/*');
    expect(response.headers.get('content-type')).toBe('application/json');
    expect(await response.json()).toEqual({
      reason: 'OVERLOADED',
      title: 'The processor is full',
      status: 503,
      grpc_code: 8,
      retryable: true,
      retry_after_seconds: 1,
      meaning: failureTexts.OVERLOADED.meaning.replaceAll('`', ''),
      advice: failureTexts.OVERLOADED.advice.replaceAll('`', ''),
      metadata: {},
    });
  });

  it('gives the example of a reason as the problem that it would be', async () => {
    const { example, metadata } = (await (await get('/problems/OPTION_INVALID', '*/*')).json()) as {
      example: Record<string, unknown>;
      metadata: Record<string, string>;
    };
    const refused = await problemOf(await fetch(`${api.url}/v1/images?width=0`));
    expect(example).toEqual({ ...refused, instance: expect.any(String) });
    expect(Object.keys(metadata)).toEqual(Object.keys(refused.metadata));
  });

  it.each(reasons)('has a page about %s for browsers', async (reason) => {
    const response = await get(`/problems/${reason}`, 'text/html,*/*;q=0.8');
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await response.text();
    expect(page).toContain(reason);
    expect(page).not.toMatch(/\{\{|undefined|\[object/);
  });

  it('lists all reasons, as JSON and as a page', async () => {
    const { problems } = (await (await get('/problems', '*/*')).json()) as { problems: { reason: string }[] };
    expect(problems.map(({ reason }) => reason)).toEqual(reasons);
    const page = await (await get('/problems', 'text/html')).text();
    for (const reason of reasons) expect(page).toContain(`href="problems/${reason}"`);
  });

  it('names the nearest reasons of one that does not exist, and escapes it', async () => {
    const problem = await problemOf(await get('/problems/overlaoded', '*/*'));
    expect(problem).toMatchObject({
      status: 404,
      reason: 'ROUTE_UNKNOWN',
      detail: 'There is no reason "overlaoded". Nearest to it: OVERLOADED. /problems lists all reasons.',
      metadata: { actual: 'overlaoded', nearest: 'OVERLOADED' },
    });
    const page = await get('/problems/%3Cscript%3E', 'text/html');
    expect(page.status).toBe(404);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.text()).toContain('There is no reason &quot;&lt;script&gt;&quot;.');
    expect((await get('/problems/toString', '*/*')).status).toBe(404);
  });

  it('has an entity tag for each representation, and no body for HEAD', async () => {
    const json = await get('/problems/OVERLOADED', 'application/json');
    const page = await get('/problems/OVERLOADED', 'text/html');
    expect(json.headers.get('etag')).not.toBe(page.headers.get('etag'));
    expect(page.headers.get('vary')).toBe('Accept');
    expect(page.headers.get('cache-control')).toBe('public, no-cache');
    const etag = page.headers.get('etag') ?? '';
    const again = await get('/problems/OVERLOADED', 'text/html', { headers: { 'if-none-match': etag } });
    expect([again.status, again.headers.get('etag'), await again.text()]).toEqual([304, etag, '']);
    const head = await get('/problems/OVERLOADED', 'text/html', { method: 'HEAD' });
    expect([head.status, head.headers.get('etag'), await head.text()]).toEqual([200, etag, '']);
  });
});

describe('metadataMembers', () => {
  it('explain every member of the examples, and no other', () => {
    const shown = new Set(Object.values(problemExamples).flatMap(({ metadata }) => Object.keys(metadata)));
    expect(Object.keys(metadataMembers).toSorted()).toEqual([...shown].toSorted());
  });
});
