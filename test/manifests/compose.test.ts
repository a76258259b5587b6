import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { apiEnvironment } from '../../src/api/config.ts';
import { readEnvironment } from '../../src/environment.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { argumentsOf, lastStage, readDockerfile } from '../support/dockerfile.ts';

interface Service {
  readonly image: string;
  readonly build?: { readonly context: string; readonly dockerfile: string };
  readonly environment?: Readonly<Record<string, string | number>>;
  readonly ports?: readonly string[];
  readonly healthcheck?: unknown;
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly stop_grace_period?: string;
  readonly read_only?: boolean;
  readonly cap_drop?: readonly string[];
  readonly security_opt?: readonly string[];
  readonly deploy?: { readonly replicas?: number };
}

const { services } = parse(readFileSync('compose.yaml', 'utf8')) as { services: Record<string, Service> };
const { api, processor } = services as { api: Service; processor: Service };

const schemas = { api: apiEnvironment, processor: processorEnvironment };
const textsOf = ({ environment = {} }: Service) =>
  Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));

describe('compose.yaml', () => {
  it.each(Object.entries(schemas))('gives %s an environment that it starts with', (name, schema) => {
    const environment = textsOf(services[name] as Service);
    expect(() => readEnvironment(schema, environment)).not.toThrow();
    expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(Object.keys(environment)));
  });

  it('has the API, two processors and Redis, and the names in the URLs are theirs', () => {
    expect(Object.keys(services)).toEqual(['api', 'processor', 'redis']);
    expect(processor.deploy?.replicas).toBe(2);
    expect(textsOf(api).PROCESSOR_URL).toBe('http://processor:50051');
    expect(textsOf(processor).REDIS_URL).toBe('redis://redis:6379');
  });

  it('publishes only the API, and only to this machine', () => {
    expect(api.ports).toEqual(['127.0.0.1:8080:8080']);
    expect(processor.ports).toBeUndefined();
    expect(services.redis?.ports).toBeUndefined();
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
