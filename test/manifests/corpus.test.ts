import { readFileSync } from 'node:fs';
import type { V1Job } from '@kubernetes/client-node';
import { describe, expect, it } from 'vitest';
import { exitCodes } from '../../src/client/client-error.ts';
import { schemaProblems } from '../support/kubernetes-schema.ts';
import {
  canRender,
  filesOfKustomization,
  readKustomization,
  renderWithComponent,
} from '../support/kustomization.ts';
import { mayConnect } from './network.ts';

const folder = 'manifests/components/corpus';
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const objects = readKustomization(folder);
const job = objects.find(({ kind }) => kind === 'Job') as unknown as V1Job;
const container = job.spec?.template.spec?.containers[0];

describe(`${folder}`, () => {
  it('names all its files', () => {
    const { present, named } = filesOfKustomization(folder);
    expect(present).toEqual(named);
  });

  it.each(objects.map((object) => [object.kind, object.metadata.name, object] as const))(
    '%s %s has the shape that Kubernetes 1.36 wants',
    async (_kind, _name, object) => {
      expect(await schemaProblems(object)).toEqual([]);
    },
  );

  it('has an index for each shard, and is done when all of them are', () => {
    const { completions, completionMode, successPolicy, parallelism = 0 } = job.spec ?? {};
    expect(completionMode).toBe('Indexed');
    expect(successPolicy?.rules).toEqual([{ succeededCount: completions }]);
    expect(parallelism).toBeLessThanOrEqual(completions ?? 0);
  });

  it('counts failures by index, which needs pods that are not restarted and no limit of the whole Job', () => {
    const { backoffLimit, backoffLimitPerIndex, maxFailedIndexes, completions = 0 } = job.spec ?? {};
    expect(backoffLimit).toBeUndefined();
    expect(backoffLimitPerIndex).toBeGreaterThan(0);
    expect(maxFailedIndexes).toBeLessThan(completions);
    expect(job.spec?.template.spec?.restartPolicy).toBe('Never');
  });

  it('gives up for the exit codes that no further attempt changes, and for no other', () => {
    const ofAction = (action: string) =>
      job.spec?.podFailurePolicy?.rules
        .filter((rule) => rule.action === action)
        .flatMap(({ onExitCodes }) => onExitCodes?.values ?? []);
    const { usage, refused, mixed, files } = exitCodes;
    expect(ofAction('FailJob')).toEqual([usage.code, refused.code, mixed.code]);
    expect(ofAction('FailIndex')).toEqual([files.code]);
    const containers = job.spec?.podFailurePolicy?.rules.flatMap(({ onExitCodes }) => onExitCodes ?? []);
    expect(containers?.every(({ containerName }) => containerName === container?.name)).toBe(true);
  });

  it('does not count pods of drained nodes', () => {
    expect(job.spec?.podFailurePolicy?.rules).toContainEqual({
      action: 'Ignore',
      onPodConditions: [{ type: 'DisruptionTarget' }],
    });
  });

  it('runs the client of the image of this version, as the restricted Pod Security Standard wants it', () => {
    expect(container?.image).toBe(`image-api:${version}`);
    expect(container?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    const pod = job.spec?.template.spec;
    expect(pod?.securityContext).toMatchObject({ runAsNonRoot: true });
    expect(pod?.automountServiceAccountToken).toBe(false);
    const mounts = container?.volumeMounts?.map(({ name }) => name);
    expect(pod?.volumes?.map(({ name }) => name)).toEqual(mounts);
  });
});

describe.skipIf(!canRender)(`${folder}, in the production overlay`, async () => {
  const rendered = canRender ? await renderWithComponent('manifests/overlays/production', 'corpus') : [];
  const pods = { 'app.kubernetes.io/name': 'image-corpus' };
  const processors = { 'app.kubernetes.io/name': 'image-processor' };
  const within = (labels: Record<string, string>) => ({
    address: '10.0.0.1',
    namespace: 'image-service',
    labels,
  });

  it('lets its pods call the processors, and nobody call them', () => {
    expect(mayConnect(rendered, within(pods), within(processors), 50051)).toBe(true);
    expect(mayConnect(rendered, within(pods), within({ 'app.kubernetes.io/name': 'redis' }), 6379)).toBe(
      false,
    );
    expect(mayConnect(rendered, within(processors), within(pods), 8080)).toBe(false);
  });
});
