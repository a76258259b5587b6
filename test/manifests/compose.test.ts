import { existsSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { apiEnvironment } from '../../src/api/config.ts';
import { readEnvironment } from '../../src/environment.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { pathOf } from '../../src/programs.ts';
import { argumentsOf, lastStage, readDockerfile } from '../support/dockerfile.ts';
import { encoded, gradient } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';

interface Service {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly entrypoint?: readonly string[];
  readonly user?: string;
  readonly secrets?: readonly string[];
  readonly volumes?: readonly {
    readonly source: string;
    readonly target: string;
    readonly read_only?: boolean;
  }[];
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string; readonly required?: boolean }>>;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly deploy?: { readonly replicas?: string };
}

/** A file of Compose, with the defaults of its variables, or with values for them. */
function readCompose(file: string, values: Readonly<Record<string, string>> = {}) {
  const text = readFileSync(file, 'utf8').replaceAll(
    /\$\{(\w+):-([^}]*)\}/g,
    (_, name: string, preset: string) => values[name] ?? preset,
  );
  return parse(text) as { readonly services: Readonly<Record<string, Service>> };
}

const { services } = readCompose('compose.yaml');
const page = readFileSync('docs/compose.md', 'utf8');
const composeSpec = findProgram('compose-spec');
const { api, processor } = services as { api: Service; processor: Service };

const schemas = { api: apiEnvironment, processor: processorEnvironment };
const textsOf = ({ environment = {} }: Service) =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));

describe('compose.yaml', () => {
  it.each(Object.entries(schemas))('gives %s an environment that it starts with', (name, schema) => {
    const environment = textsOf(services[name] as Service);
    expect(() => readEnvironment(schema, environment)).not.toThrow();
    // Those of AWS are read by its SDK.
    const own = Object.keys(environment).filter((variable) => !variable.startsWith('AWS_'));
    expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(own));
  });

  it('starts the API and two processors, and Redis and jobs by their profiles', () => {
    expect(Object.entries(services).map(([name, { profiles }]) => [name, profiles])).toEqual([
      ['api', undefined],
      ['processor', undefined],
      ['redis', ['redis']],
      ['job', ['job']],
    ]);
    expect(Number(processor.deploy?.replicas)).toBe(2);
    expect(textsOf(api).PROCESSOR_URL).toBe('http://processor:50051');
  });

  it('uses Redis if the environment of docs/compose.md names it', () => {
    const [, file = ''] = /\n```sh\ncat > \.env <<END\n(.*?)END\n/s.exec(page) ?? [];
    const set = parseEnv(file) as Record<string, string>;
    expect(set.COMPOSE_PROFILES).toBe('redis');
    const configured = readCompose('compose.yaml', set).services.processor as Service;
    const { REDIS_URL } = readEnvironment(processorEnvironment, textsOf(configured));
    expect(String(REDIS_URL)).toBe('redis://redis:6379');
    expect(configured.depends_on?.redis?.required).toBe(false);
    expect(readEnvironment(processorEnvironment, textsOf(processor)).REDIS_URL).toBeUndefined();
  });

  it('takes API keys by a second file', () => {
    const { services: withKeys } = readCompose('compose.keys.yaml');
    expect(Object.keys(withKeys)).toEqual(['api']);
    expect(withKeys.api?.secrets).toEqual(['api-keys.json']);
    expect(Object.keys(apiEnvironment.shape)).toContain('API_KEYS_FILE');
    expect(textsOf(withKeys.api as Service)).toEqual({ API_KEYS_FILE: '/run/secrets/api-keys.json' });
  });

  it('runs the job of docs/compose.md', async () => {
    const [, words = ''] = /docker compose run --rm job (.*)\n/.exec(page) ?? [];
    const { entrypoint = [], environment, volumes } = services.job as Service;
    const [, program = '', ...first] = entrypoint;
    expect(environment).toEqual({ IMAGE_API_URL: 'http://api:8080', IMAGE_API_KEY: '' });
    const folder = await mkdtemp(join(tmpdir(), 'compose-job-'));
    const running = await startService();
    onTestFinished(async () => {
      await running.stop();
      await rm(folder, { recursive: true });
    });
    for (const { source } of volumes ?? []) await mkdir(join(folder, source));
    await writeFile(join(folder, 'images/cat.png'), await encoded(gradient(60, 40), 'png'));
    const mounted = words.split(' ').map((word) => {
      const volume = volumes?.find(({ target }) => target === word);
      return volume === undefined ? word : join(folder, volume.source);
    });
    const job = await run(process.execPath, [pathOf(program), ...first, ...mounted], {
      env: { ...environment, IMAGE_API_URL: running.url },
    });
    expect(job.code, job.stderr).toBe(0);
    expect(await readdir(join(folder, 'tensors'))).toContain('cat.npy');
  });

  it.skipIf(composeSpec === undefined).each([['compose.yaml'], ['compose.yaml', 'compose.keys.yaml']])(
    'is valid for the loader of Docker Compose: %s %s',
    async (...files) => {
      const loaded = await run(composeSpec ?? '', ['--format', 'json', ...files], {
        env: { COMPOSE_PROFILES: 'redis,job' },
      });
      expect(loaded.code, loaded.stderr).toBe(0);
      expect(Object.keys(JSON.parse(loaded.stdout.toString()).services).sort()).toEqual(
        Object.keys(services).sort(),
      );
    },
  );

  it('publishes only the API, and only to this machine', () => {
    expect(api.ports).toEqual(['127.0.0.1:8080:8080']);
    for (const name of ['processor', 'redis', 'job']) expect(services[name]?.ports).toBeUndefined();
  });

  it('waits only for services that have a healthcheck', () => {
    const awaited = Object.values(services).flatMap(({ depends_on = {} }) => Object.entries(depends_on));
    expect(awaited).not.toEqual([]);
    for (const [name, { condition }] of awaited) {
      expect(condition).toBe('service_healthy');
      const { build, healthcheck } = services[name] as Service;
      const image = build === undefined ? [] : lastStage(readDockerfile(build.dockerfile));
      expect(healthcheck ?? argumentsOf(image, 'HEALTHCHECK')[0], name).toBeDefined();
    }
  });

  it('gives each service more time to end than its drain may take', () => {
    const { SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS } = readEnvironment(apiEnvironment, textsOf(api));
    expect(Number.parseInt(api.stop_grace_period ?? '10', 10) * 1000).toBeGreaterThan(
      SHUTDOWN_DELAY_MS + SHUTDOWN_TIMEOUT_MS,
    );
    const drain = readEnvironment(processorEnvironment, textsOf(processor));
    expect(Number.parseInt(processor.stop_grace_period ?? '10', 10) * 1000).toBeGreaterThan(
      drain.SHUTDOWN_DELAY_MS + drain.SHUTDOWN_TIMEOUT_MS,
    );
  });

  it.each(Object.entries(services))('runs %s with no more rights than it needs', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(service.image).toMatch(/:(?!latest$)[\w.-]+$/);
  });

  it('builds with Dockerfiles that are there', () => {
    expect([api, processor].map(({ build }) => existsSync(build?.dockerfile ?? ''))).toEqual([true, true]);
  });
});
