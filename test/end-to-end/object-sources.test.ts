import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ProcessorService, type ProcessRequest } from '../../gen/image/v1/processor_pb.ts';
import { signLink } from '../../src/api/auth/signed-links.ts';
import { startTestApi } from '../support/api.ts';
import { encoded, photoLike } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type S3Server, startS3 } from '../support/s3.ts';
import { type Service, startService } from '../support/service.ts';
import { s3Program } from '../support/tools.ts';

const secret = 's'.repeat(32);
const url = 's3://photos/public/a cat?#1.jpg';

describe.skipIf(s3Program === undefined)('s3:// at the interfaces', () => {
  let server: S3Server;
  let service: Service;
  let signing: Awaited<ReturnType<typeof startTestApi>>;
  let folder: string;

  beforeAll(async () => {
    server = await startS3();
    await server.createBucket('photos');
    const photo = await encoded(photoLike(320, 200), 'jpeg');
    await server.client.send(
      new PutObjectCommand({ Bucket: 'photos', Key: 'public/a cat?#1.jpg', Body: photo }),
    );
    folder = mkdtempSync(join(tmpdir(), 'links-'));
    const secrets = join(folder, 'links.json');
    writeFileSync(secrets, JSON.stringify({ secrets: [{ id: 'a', secret }] }));
    const processor = { ...server.environment, SOURCE_BUCKETS: 'photos/public', WORKERS: '1' };
    service = await startService({ processor });
    signing = await startTestApi({
      PROCESSOR_URL: `http://${service.address}`,
      LINK_SECRETS_FILE: secrets,
    });
  });
  afterAll(async () => {
    await signing?.[Symbol.asyncDispose]();
    await service?.stop();
    await server?.[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true, force: true });
  });

  test.each(['/v1/images', '/v1/describe'])(
    '%s reads an object in a form, JSON and the query',
    async (path) => {
      const form = new FormData();
      form.append('url', url);
      form.append('width', '64');
      const json = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const responses = await Promise.all([
        fetch(`${service.url}${path}`, { method: 'POST', body: form }),
        fetch(`${service.url}${path}`, { ...json, body: JSON.stringify({ url, width: 64 }) }),
        fetch(`${service.url}${path}?${new URLSearchParams({ url, width: '64' })}`),
        fetch(`${service.url}${path}`, {
          ...json,
          body: JSON.stringify({ url, variants: [{ width: 64 }, { width: 32 }] }),
        }),
      ]);
      expect(
        await Promise.all(responses.map(async (one) => [one.status, one.ok ? '' : await one.text()])),
      ).toEqual(responses.map(() => [200, '']));
    },
  );

  test('a signed link may lead to an object', async () => {
    const query = new URLSearchParams({
      url,
      width: '64',
      expires: String(Math.ceil(Date.now() / 1000) + 60),
    });
    query.set('signature', signLink(secret, '/v1/images', query));
    expect((await fetch(`${signing.url}/v1/images?${query}`)).status).toBe(200);
    query.set('url', `${url}x`);
    expect((await fetch(`${signing.url}/v1/images?${query}`)).status).toBe(403);
  });

  test('gRPC reads objects in single calls, variants, batches and streams', async () => {
    const client = createClient(
      ProcessorService,
      createGrpcTransport({ baseUrl: `http://${service.address}` }),
    );
    const source = { case: 'url', value: url } as const;
    const tensor = {
      source,
      resize: { width: 8, height: 8 },
      output: { case: 'tensor', value: {} },
    } as const;
    expect((await client.process({ source, resize: { width: 64 } })).width).toBe(64);
    expect((await client.describe({ source })).source?.width).toBe(320);
    expect((await client.processVariants({ source, variants: [{}, {}] })).variants).toHaveLength(2);
    expect((await client.processBatch({ requests: [tensor, tensor] })).images).toHaveLength(2);
    const requests = async function* () {
      yield { id: 'a', request: tensor as unknown as ProcessRequest };
    };
    for await (const { result } of client.processStream(requests())) expect(result.case).toBe('response');
  });

  describe('comparisons and jobs', () => {
    const preset = 'google/vit-base-patch16-224';
    const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));
    const client = (...words: string[]) =>
      run(process.execPath, [program, ...words], {
        cwd: folder,
        env: { IMAGE_API_URL: service.url, IMAGE_PROCESSOR_URL: undefined },
      });

    beforeAll(async () => {
      const response = await fetch(`${service.url}/v1/images?${new URLSearchParams({ url, preset })}`);
      writeFileSync(join(folder, 'photo.npy'), await response.bytes());
    });

    test('POST /v1/skew reads an object in a form and in the query', async () => {
      const form = (fields: Readonly<Record<string, string>>) => {
        const body = new FormData();
        body.append('tensor', new Blob([readFileSync(join(folder, 'photo.npy'))]), 'photo.npy');
        for (const [name, value] of Object.entries(fields)) body.append(name, value);
        return { method: 'POST', body };
      };
      const responses = await Promise.all([
        fetch(`${service.url}/v1/skew`, form({ url, preset })),
        fetch(`${service.url}/v1/skew?${new URLSearchParams({ url, preset })}`, form({})),
        fetch(`${service.url}/v1/skew`, form({ url: 's3://photos/private.jpg', preset })),
      ]);
      expect(await Promise.all(responses.map((one) => one.json()))).toMatchObject([
        { equal: true },
        { equal: true },
        { status: 403, reason: 'BUCKET_FORBIDDEN' },
      ]);
    });

    test.each([
      ['image-api', []],
      ['image-processor', ['--processor']],
    ])('the client compares objects through %s, one and those of a list', async (_, flag) => {
      const through = flag.length === 0 ? [] : [...flag, service.address];
      const line = (fields: object) => JSON.stringify({ tensor: 'photo.npy', preset, ...fields });
      writeFileSync(
        join(folder, 'golden.jsonl'),
        [line({ url }), line({ url: 's3://photos/private.jpg' })].join('\n'),
      );
      expect(await client('skew', '--preset', preset, ...through, url, 'photo.npy')).toMatchObject({
        code: 0,
      });
      const checked = await client('skew', '--check', 'golden.jsonl', ...through);
      expect(checked).toMatchObject({ code: 1 });
      expect(checked.stdout.toString()).toContain('BUCKET_FORBIDDEN');
      expect(checked.stdout.toString()).toContain('2 pairs: 1 equal');
    });

    test.each(['txt', 'jsonl', 'csv'])('a job reads the objects of a .%s', async (ending) => {
      const urls = [url, 's3://photos/private.jpg'];
      const lines = {
        txt: urls,
        jsonl: urls.map((each) => JSON.stringify({ url: each })),
        csv: ['url', ...urls.map((each) => `"${each}"`)],
      }[ending] as readonly string[];
      writeFileSync(join(folder, `list.${ending}`), lines.join('\n'));
      const done = await client('job', '--preset', preset, '--format', 'npy', `list.${ending}`, ending);
      expect(done.code, done.stderr).toBe(1);
      const output = readFileSync(join(folder, ending, 'photos/public/a%20cat%3F%231.npy'));
      expect(output.equals(readFileSync(join(folder, 'photo.npy')))).toBe(true);
      expect(JSON.parse(readFileSync(join(folder, ending, 'failures.jsonl'), 'utf8'))).toMatchObject({
        source: 's3://photos/private.jpg',
        reason: 'BUCKET_FORBIDDEN',
      });
    });
  });

  test('a service that keeps no responses refuses store, but not store=false', async () => {
    const reasonOf = async (query: string) => {
      const response = await fetch(`${service.url}/v1/images?${query}&${new URLSearchParams({ url })}`);
      return response.ok ? 'OK' : ((await response.json()) as { reason: string }).reason;
    };
    const queries = ['store=true', 'store=wait', 'store_link=5', 'store=false'];
    expect(await Promise.all(queries.map(reasonOf))).toEqual([
      'OPTION_INVALID',
      'OPTION_INVALID',
      'OPTION_INVALID',
      'OK',
    ]);
  });

  test('an object outside of SOURCE_BUCKETS is 403, and one that is missing 502', async () => {
    const problem = async (value: string) =>
      (await (
        await fetch(`${service.url}/v1/images?${new URLSearchParams({ url: value })}`)
      ).json()) as unknown;
    expect(await problem('s3://photos/a.jpg')).toMatchObject({ status: 403, reason: 'BUCKET_FORBIDDEN' });
    expect(await problem('s3://photos/public/none.jpg')).toMatchObject({
      status: 502,
      reason: 'ORIGIN_STATUS',
      metadata: { problem: 'OBJECT_MISSING' },
    });
  });
});
