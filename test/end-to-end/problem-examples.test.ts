import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problemExamples } from '../../src/api/problems/problem-examples.ts';
import { failureKinds, isFailureReason } from '../../src/failures.ts';
import { type Problem, problemOf, startTestApi } from '../support/api.ts';
import { failingRequests } from '../support/failing-requests.ts';
import { type Origin, routes, startOrigin } from '../support/origin.ts';
import { type Service, startService } from '../support/service.ts';

let service: Service;
let origin: Origin;
let folder: string;
let guarded: Awaited<ReturnType<typeof startTestApi>>;
let alone: Awaited<ReturnType<typeof startTestApi>>;

beforeAll(async () => {
  origin = await startOrigin(
    routes({
      '/busy.jpg': (_request, response) => response.writeHead(503, { 'Retry-After': '5' }).end(),
      '/circle.jpg': (_request, response) => response.writeHead(302, { Location: '/circle.jpg' }).end(),
    }),
  );
  // A comparison takes seconds of CPU, which a loaded machine may not have.
  const patient = '300000';
  service = await startService({
    api: { REQUEST_TIMEOUT_MS: patient },
    processor: { URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}`, MAX_TIMEOUT_MS: patient },
  });
  folder = mkdtempSync(join(tmpdir(), 'problems-'));
  const file = (name: string, value: unknown) => {
    writeFileSync(join(folder, name), JSON.stringify(value));
    return join(folder, name);
  };
  guarded = await startTestApi({
    PROCESSOR_URL: `http://${service.address}`,
    API_KEYS_FILE: file('keys.json', { keys: [{ id: 'team-a', sha256: hash('sha256', 'secret') }] }),
    LINK_SECRETS_FILE: file('links.json', { secrets: [{ id: '2026-11', secret: 's'.repeat(32) }] }),
    RATE_LIMIT_RPS: '1',
    RATE_LIMIT_BURST: '1',
  });
  alone = await startTestApi({ PROCESSOR_URL: 'http://127.0.0.1:9' });
});
afterAll(async () => {
  await guarded?.[Symbol.asyncDispose]();
  await alone?.[Symbol.asyncDispose]();
  await service?.stop();
  await origin?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

/** A problem without the port of this run. */
function namedOrigin(problem: Problem): Problem {
  return JSON.parse(
    JSON.stringify(problem).replaceAll(`127.0.0.1:${origin.port}`, 'images.example'),
  ) as Problem;
}

/** A problem without figures of pixels, which change with each new way to compare them. */
function withoutLevels(problem: unknown): unknown {
  return JSON.parse(JSON.stringify(problem).replaceAll(/\b\d+\.\d\b(?!\.)/g, 'N')) as unknown;
}

describe('problemExamples', () => {
  it.each(Object.entries(failingRequests))('say of %s what image-api says', async (reason, send) => {
    const services = { plain: service.url, guarded: guarded.url, alone: alone.url };
    const { detail, metadata, ...problem } = namedOrigin(
      await problemOf(await send(services, origin.url(''))),
    );
    expect(problem.reason, detail).toBe(reason);
    const example = isFailureReason(reason) ? problemExamples[reason] : undefined;
    expect(withoutLevels({ detail, metadata })).toEqual(example && withoutLevels(example));
  });

  it('have a request each, and are of known reasons', () => {
    expect(Object.keys(problemExamples).toSorted()).toEqual(Object.keys(failingRequests).toSorted());
    expect(Object.keys(failureKinds)).toEqual(expect.arrayContaining(Object.keys(problemExamples)));
  });
});
