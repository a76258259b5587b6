import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import type { V1Pod } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { mayConnect, type Party } from '../manifests/network.ts';
import { podLabels } from '../manifests/production-rules.ts';
import { chart, objectsOf, renderChart, runHelm } from '../support/chart.ts';
import { schemaProblems } from '../support/kubernetes-schema.ts';
import { deploymentOf } from '../support/manifest-rules.ts';
import { run } from '../support/run.ts';
import { startService } from '../support/service.ts';
import { helm } from '../support/tools.ts';

/** The objects that only `helm test` creates, with examples/production.yaml and other values. */
function hooks(...values: string[]) {
  const { status, stdout, stderr } = runHelm(
    ...['template', 'image-service', chart, '--namespace', 'image-service'],
    ...['--values', `${chart}/examples/production.yaml`],
    ...values.flatMap((value) => ['--set-json', value]),
  );
  if (status !== 0) throw new Error(stderr);
  const annotationsOf = (object: object) => (object as V1Pod).metadata?.annotations ?? {};
  return objectsOf(stdout).filter((object) => 'helm.sh/hook' in annotationsOf(object));
}

/** Runs the container of the test's pod here, against a service of this machine. */
function runTest(url: string, environment: Record<string, string> = {}, ...values: string[]) {
  const pod = hooks(...values).find(({ kind }) => kind === 'Pod') as unknown as V1Pod;
  const { command = [], args = [], env = [] } = pod.spec?.containers[0] ?? {};
  const ofPod = Object.fromEntries(env.map(({ name, value = '' }) => [name, value]));
  expect(ofPod.API_URL).toBe('http://image-api:80');
  expect(command[0]).toBe('node');
  return run(process.execPath, [...command.slice(1), ...args], {
    env: { ...ofPod, API_URL: url, ...environment },
  });
}

describe.skipIf(helm === undefined)('helm test', () => {
  it('creates objects of the shapes that Kubernetes wants', async () => {
    const objects = hooks();
    expect(objects.map(({ kind }) => kind).sort()).toEqual(['NetworkPolicy', 'NetworkPolicy', 'Pod']);
    expect((await Promise.all(objects.map(schemaProblems))).flat()).toEqual([]);
  });

  it('creates policies that let its pod reach DNS and the API, and nothing else', () => {
    const manifest = [...renderChart('--values', `${chart}/examples/production.yaml`), ...hooks()];
    const pod = manifest.find(({ kind }) => kind === 'Pod') as unknown as V1Pod;
    const test: Party = {
      address: '10.1.0.1',
      namespace: 'image-service',
      labels: pod.metadata?.labels ?? {},
    };
    const partyOf = (name: string): Party => ({
      address: '10.1.0.2',
      namespace: 'image-service',
      labels: podLabels(deploymentOf(manifest, name)),
    });
    const dns: Party = { address: '10.1.0.3', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } };
    expect(mayConnect(manifest, test, partyOf('image-api'), 8080)).toBe(true);
    expect(mayConnect(manifest, test, dns, 53, 'UDP')).toBe(true);
    expect(mayConnect(manifest, test, partyOf('image-processor'), 50_051)).toBe(false);
    expect(mayConnect(manifest, test, { address: '93.184.215.14' }, 443)).toBe(false);
  });

  it('passes with a service that processes images', async () => {
    await using service = await startService();
    const { code, stdout, stderr } = await runTest(service.url);
    expect(stderr).toBe('');
    expect(stdout.toString()).toMatch(/^200, a PNG of 4 × 3 pixels from 127\.0\.0\.1:\d+\n$/);
    expect(code).toBe(0);
  }, 120_000);

  it('fails with the reason where images are refused', async () => {
    await using service = await startService({ processor: { SOURCE_FORMATS: 'jpeg' } });
    const { code, stderr } = await runTest(service.url);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^415 application\/problem\+json: .*expected: 200 and a PNG/s);
  }, 120_000);

  it('expects 401 of a service with API keys, and 200 when it has one', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'keys-'));
    try {
      const file = join(folder, 'api-keys.json');
      // The hash of the word example.
      const sha256 = '50d858e0985ecc7f60418aaf0cc5ab587f42c2570a884095a9e8ccacd0f6545c';
      await writeFile(file, JSON.stringify({ keys: [{ id: 'a', sha256 }] }));
      await using service = await startService({ api: { API_KEYS_FILE: file } });
      const credentials = 'credentials.existingSecret="image-api-credentials"';
      expect(await runTest(service.url, {}, credentials)).toMatchObject({ code: 0, stderr: '' });
      expect(await runTest(service.url)).toMatchObject({ code: 1 });
      const withKey = [credentials, 'test.existingSecret="key"'];
      expect(await runTest(service.url, { API_KEY: 'example' }, ...withKey)).toMatchObject({ code: 0 });
      expect(await runTest(service.url, { API_KEY: 'wrong' }, ...withKey)).toMatchObject({ code: 1 });
    } finally {
      await rm(folder, { recursive: true });
    }
  }, 120_000);
});
