import { hash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { readDoctorArguments, runDoctor } from '../../src/client/doctor/doctor.ts';
import { startOrigin } from '../support/origin.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

const program = fileURLToPath(new URL('../../src/client/main.ts', import.meta.url));

interface DoctorReport {
  readonly ok: boolean;
  readonly checks: readonly { readonly name: string; readonly state: string }[];
}

/** The report, and the exit code. */
async function doctor(environment: Readonly<Record<string, string>>, ...parameters: string[]) {
  const env = { IMAGE_API_KEY: undefined, ...environment };
  const { code, stdout, stderr } = await run(process.execPath, [program, 'doctor', '--json', ...parameters], {
    env,
  });
  expect(stderr).toBe('');
  const report = JSON.parse(stdout.toString());
  const check = (name: string) => report.checks.find((each: { name: string }) => each.name === name);
  return { code, report, check };
}

describe('image-client doctor', () => {
  let service: Service;
  beforeAll(async () => {
    service = await startService({
      api: { MAX_UPLOAD_BYTES: '3000000', IMAGE_WIDTH: '640' },
      processor: { MAX_SOURCE_BYTES: '4000000', MAX_SOURCE_PIXELS: '5000000', MAX_OUTPUT_PIXELS: '6000000' },
    });
  });
  afterAll(() => service.stop());

  it('prints versions, limits and defaults of healthy services, and ends with 0', async () => {
    const { code, report, check } = await doctor({
      IMAGE_API_URL: service.url,
      IMAGE_PROCESSOR_URL: service.address,
    });
    expect(code).toBe(0);
    expect(check('JPEG decoder').detail).toMatch(
      /^(libjpeg-turbo \d\S* \((bundled|system|configured)\)|sharp \d)/,
    );
    expect(report).toMatchObject({
      ok: true,
      versions: {
        client: packageJson.version,
        node: process.versions.node,
        numerics: expect.stringMatching(/pillow/),
        sharp: expect.stringMatching(/^\d/),
        vips: expect.stringMatching(/^\d/),
      },
      limits: {
        MAX_UPLOAD_BYTES: 3_000_000,
        MAX_SOURCE_BYTES: 4_000_000,
        MAX_SOURCE_PIXELS: 5_000_000,
        MAX_OUTPUT_PIXELS: 6_000_000,
      },
      defaults: { width: 640, height: 768, grayscale: true },
    });
  });

  it('reports where the defaults of image-api differ from those of a job', async () => {
    const { check } = await doctor({ IMAGE_API_URL: service.url, IMAGE_PROCESSOR_URL: service.address });
    expect(check('defaults')).toMatchObject({
      state: 'warning',
      detail: 'width is 640 at image-api and 1024 in a job',
    });
  });

  it('only notes the absence of a processor that nobody named, which a container may keep to itself', async () => {
    const lines: string[] = [];
    const signal = new AbortController().signal;
    const named = readDoctorArguments(['--json', '--processor', 'localhost:1'], {
      IMAGE_API_URL: service.url,
    });
    const unnamed = readDoctorArguments(['--json'], { IMAGE_API_URL: service.url });
    expect([named.isProcessorNamed, unnamed.isProcessorNamed]).toEqual([true, false]);
    const { processor } = named;
    for (const each of [named, { ...unnamed, processor }]) {
      lines.push(await runDoctor(each, (line) => lines.push(line), signal));
    }
    const states = [0, 2].map((at) => {
      const { ok, checks }: DoctorReport = JSON.parse(lines[at] ?? '');
      return [ok, checks.find(({ name }) => name === 'image-processor')?.state];
    });
    expect(states).toEqual([
      [false, 'wrong'],
      [true, 'warning'],
    ]);
    expect([lines[1], lines[3]]).toEqual(['somethingWrong', 'done']);
  });

  it('finds an image-api that accepts longer images than its processor', async () => {
    await using other = await startService({ processor: { MAX_SOURCE_BYTES: '1000000' } });
    const { code, check } = await doctor({ IMAGE_API_URL: other.url, IMAGE_PROCESSOR_URL: other.address });
    expect(code).toBe(1);
    expect(check('limits')).toEqual({
      name: 'limits',
      state: 'wrong',
      detail: 'image-api accepts 33554432 bytes, the processor 1000000',
      next: "Set image-api's MAX_UPLOAD_BYTES to at most the processor's MAX_SOURCE_BYTES.",
    });
  });

  it('explains what to start when nothing listens', async () => {
    const closed = await startOrigin(() => {});
    await closed[Symbol.asyncDispose]();
    const address = `127.0.0.1:${closed.port}`;
    const { code, check, report } = await doctor({}, '--api', `http://${address}`, '--processor', address);
    expect(code).toBe(1);
    expect(report.ok).toBe(false);
    expect(check('image-api')).toMatchObject({
      state: 'wrong',
      detail: `http://${address} does not respond: ECONNREFUSED`,
      next: expect.stringContaining('npm start'),
    });
    expect(check('image-processor')).toMatchObject({
      state: 'wrong',
      next: expect.stringContaining('IMAGE_PROCESSOR_URL'),
    });
  });

  it('finds an image-api whose processor has ended', async () => {
    await using other = await startService();
    other.processor.kill('SIGKILL');
    await other.processor.exited;
    const { code, check } = await doctor({ IMAGE_API_URL: other.url, IMAGE_PROCESSOR_URL: other.address });
    expect(code).toBe(1);
    expect(check('image-api').state).toBe('ok');
    expect(check("image-api's processor")).toMatchObject({
      state: 'wrong',
      next: expect.stringContaining('PROCESSOR_URL'),
    });
    expect(check('image over HTTP').detail).toMatch(/^PROCESSOR_UNAVAILABLE: /);
  });

  it('finds a server other than image-api, and two swapped addresses', async () => {
    await using origin = await startOrigin(
      (_request, response) => void response.writeHead(404).end('Welcome'),
    );
    const { check } = await doctor({ IMAGE_API_URL: origin.url(), IMAGE_PROCESSOR_URL: service.address });
    expect(check('image-api').detail).toMatch(/ responds with 404 at \/healthz, unlike image-api$/);
    const environment = { IMAGE_API_URL: `http://${service.address}`, IMAGE_PROCESSOR_URL: service.url };
    const mixed = await doctor(environment, '--timeout', '1');
    expect(mixed.code).toBe(1);
    expect(mixed.check('image-api').state).toBe('wrong');
    expect(mixed.check('image-processor').state).toBe('wrong');
  });

  it('sends the API key, reports a missing or wrong one, and never prints it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'image-client-doctor-'));
    const keys = { keys: [{ id: 'team-a', sha256: hash('sha256', 'the-right-key') }] };
    await writeFile(join(folder, 'keys.json'), JSON.stringify(keys));
    await using other = await startService({ api: { API_KEYS_FILE: join(folder, 'keys.json') } });
    const ask = async (key?: string) => {
      const environment = { IMAGE_API_URL: other.url, IMAGE_PROCESSOR_URL: other.address };
      const { report, check } = await doctor({
        ...environment,
        ...(key === undefined ? {} : { IMAGE_API_KEY: key }),
      });
      if (key !== undefined) expect(JSON.stringify(report)).not.toContain(key);
      return { image: check('image over HTTP'), limit: report.limits.MAX_UPLOAD_BYTES };
    };
    expect(await ask()).toEqual({
      image: {
        name: 'image over HTTP',
        state: 'wrong',
        detail: expect.stringMatching(/^UNAUTHENTICATED: /),
        next: 'Set IMAGE_API_KEY (or --api-key) to a key that this image-api accepts.',
      },
      limit: undefined,
    });
    expect((await ask('the-wrong-key')).image).toMatchObject({
      state: 'wrong',
      next: expect.stringContaining('does not accept the key in IMAGE_API_KEY'),
    });
    expect(await ask('the-right-key')).toMatchObject({ image: { state: 'ok' }, limit: 33_554_432 });
    await rm(folder, { recursive: true });
  });
});
