import { describe, expect, it } from 'vitest';
import { apiEnvironment } from '../../src/api/config.ts';
import { readyTimeoutMs } from '../../src/api/health.ts';
import { apiBytes } from '../../src/api/memory/held-bytes.ts';
import { readEnvironment } from '../../src/environment.ts';
import { mostOfOneCaller } from '../../src/memory-budget.ts';
import { containerMemory, heldMemory } from '../../src/processor/admission/work-memory.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { priceOf } from '../../src/processor/image/price.ts';
import { type KubernetesObject, schemaProblems } from '../support/kubernetes-schema.ts';
import {
  canRender,
  filesOfKustomization,
  readKustomization,
  renderKustomization,
} from '../support/kustomization.ts';
import {
  containerOf,
  deploymentOf,
  environmentOf,
  manifestRules,
  quantity,
  serviceOf,
} from '../support/manifest-rules.ts';
import { planFrom, plannedImage } from '../support/plans.ts';

const folders = ['manifests/base', 'manifests/overlays/minikube'];

describe.each(folders)('%s, its files', (folder) => {
  it('are all named by the kustomization, and there', () => {
    const { present, named } = filesOfKustomization(folder);
    expect(present).toEqual(named);
  });

  describeManifest(readKustomization(folder));
});

// This one has patches, which only kustomize reads.
const rendered = [...folders, 'manifests/overlays/production'];

describe.skipIf(!canRender).each(rendered)('%s, rendered by kustomize', (folder) => {
  describeManifest(canRender ? renderKustomization(folder) : []);
});

describe.skipIf(!canRender)('the overlays', () => {
  it('have one strategy for Redis, so that server-side apply can go from one to the other', () => {
    const strategies = ['minikube', 'production'].map(
      (name) => deploymentOf(renderKustomization(`manifests/overlays/${name}`), 'redis').spec?.strategy,
    );
    expect(strategies).toEqual([{ type: 'Recreate' }, { type: 'Recreate' }]);
  });
});

function describeManifest(manifest: readonly KubernetesObject[]): void {
  it.each(manifest.map((object) => [object.kind, object.metadata.name, object] as const))(
    '%s %s has the shape that Kubernetes 1.36 wants',
    async (_kind, _name, object) => {
      expect(await schemaProblems(object)).toEqual([]);
    },
  );

  it.each(Object.entries(manifestRules))('%s', (_promise, rule) => {
    expect(rule(manifest)).toEqual([]);
  });

  const api = () => readEnvironment(apiEnvironment, environmentOf(manifest, 'image-api'));
  const processor = () => readEnvironment(processorEnvironment, environmentOf(manifest, 'image-processor'));

  it.each([
    ['image-api', apiEnvironment],
    ['image-processor', processorEnvironment],
  ] as const)(
    '%s starts with its ConfigMap, which sets no variable that it does not know',
    (name, schema) => {
      const environment = environmentOf(manifest, name);
      expect(() => readEnvironment(schema, environment)).not.toThrow();
      expect(Object.keys(schema.shape)).toEqual(expect.arrayContaining(Object.keys(environment)));
    },
  );

  it('has containers whose ports are those that the services listen on', () => {
    const portsOf = (name: string) =>
      containerOf(manifest, name).ports?.map(({ containerPort }) => containerPort);
    expect(portsOf('image-api')).toEqual([api().PORT]);
    expect(portsOf('image-processor')).toEqual([processor().PORT, processor().METRICS_PORT]);
  });

  it('sends the API to the name and port of the headless Service', () => {
    const { hostname, port } = new URL(api().PROCESSOR_URL);
    const { spec } = serviceOf(manifest, hostname);
    expect(spec?.clusterIP).toBe('None');
    expect(spec?.ports?.find(({ name }) => name === 'grpc')?.port).toBe(Number(port));
  });

  it('sends the processors to a Redis that is there, if to one', () => {
    const { REDIS_URL } = processor();
    if (REDIS_URL === undefined) return;
    const { hostname, port } = new URL(REDIS_URL);
    expect(serviceOf(manifest, hostname).spec?.ports?.map((each) => each.port)).toContain(Number(port));
  });

  it('sets no replicas, which an apply would reset, and names the strategy that Kubernetes would fill in', () => {
    for (const name of ['image-api', 'image-processor']) {
      const { replicas, strategy } = deploymentOf(manifest, name).spec ?? {};
      expect(replicas).toBeUndefined();
      expect(strategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } });
    }
  });

  it('keeps old processors until a DNS record of 30 s ago contains the new ones', () => {
    expect(deploymentOf(manifest, 'image-processor').spec?.minReadySeconds).toBeGreaterThanOrEqual(30);
  });

  it('probes readiness for longer than /readyz waits for a processor', () => {
    const { timeoutSeconds = 1, periodSeconds = 10 } =
      containerOf(manifest, 'image-api').readinessProbe ?? {};
    expect(timeoutSeconds * 1000).toBeGreaterThan(readyTimeoutMs);
    expect(periodSeconds).toBeGreaterThanOrEqual(timeoutSeconds);
  });

  it('gives each pod more time to end than its drain may take', () => {
    const graceMs = (name: string) =>
      (deploymentOf(manifest, name).spec?.template.spec?.terminationGracePeriodSeconds ?? 30) * 1000;
    expect(graceMs('image-api')).toBeGreaterThan(api().SHUTDOWN_DELAY_MS + api().SHUTDOWN_TIMEOUT_MS);
    expect(graceMs('image-processor')).toBeGreaterThan(
      processor().SHUTDOWN_DELAY_MS + processor().SHUTDOWN_TIMEOUT_MS,
    );
  });

  it('lets the longest request finish while a pod ends', () => {
    const longest = api().REQUEST_TIMEOUT_MS;
    expect(api().SHUTDOWN_TIMEOUT_MS).toBeGreaterThan(longest);
    expect(processor().SHUTDOWN_TIMEOUT_MS).toBeGreaterThan(longest);
    expect(processor().MAX_TIMEOUT_MS).toBeGreaterThanOrEqual(longest);
  });

  it('lets the API take no image that the processor would refuse for its length', () => {
    expect(api().MAX_UPLOAD_BYTES).toBeLessThanOrEqual(processor().MAX_SOURCE_BYTES);
  });

  it('gives the processor a core for each worker, and memory for its worst case', () => {
    const config = processor();
    const { cpu = '', memory = '' } = containerOf(manifest, 'image-processor').resources?.limits ?? {};
    expect(config.WORKERS).toBeLessThanOrEqual(quantity(cpu));
    expect(config.MAX_WORK_BYTES).toBeDefined();
    expect(containerMemory(config)).toBeLessThan(quantity(memory));
  });

  it('lets the API ask for no response that the processor would refuse for its length', () => {
    expect(api().MAX_ANSWER_BYTES).toBeLessThanOrEqual(processor().MAX_ANSWER_BYTES);
    expect(processor().MAX_ANSWER_BYTES).toBeLessThanOrEqual(mostOfOneCaller(heldMemory(processor())));
  });

  it('gives the API memory for all that requests may hold', () => {
    const { memory = '' } = containerOf(manifest, 'image-api').resources?.limits ?? {};
    const { MAX_HELD_BYTES = Number.NaN, MAX_UPLOAD_BYTES } = api();
    expect(apiBytes + MAX_HELD_BYTES).toBeLessThan(quantity(memory));
    expect(MAX_HELD_BYTES).toBeGreaterThanOrEqual(8 * MAX_UPLOAD_BYTES);
  });

  it('lets through the dearest JPEG of as many pixels as may be sent', () => {
    const { MAX_SOURCE_PIXELS, MAX_SOURCE_BYTES, MAX_WORK_BYTES = 0 } = processor();
    const header = {
      format: 'jpeg',
      width: MAX_SOURCE_PIXELS,
      height: 1,
      orientation: 1,
      colour: 'rgb',
      bitDepth: 8,
      hasAlpha: false,
      hasIccProfile: false,
      frames: 1,
      isProgressive: true,
      samplesPerPixel: 3,
    } as const;
    const plan = planFrom({
      resize: { fit: 'fill', width: 1024, height: 768, filter: 'bilinear' },
      grayscale: true,
      output: { kind: 'image', format: 'jpeg', quality: undefined },
    });
    const { memoryBytes } = priceOf(header, MAX_SOURCE_BYTES, [plannedImage(header, plan)]);
    expect(memoryBytes).toBeLessThanOrEqual(MAX_WORK_BYTES);
  });
}
