import { describe, expect, it } from 'vitest';
import { type KubernetesObject, schemaProblems } from '../support/kubernetes-schema.ts';
import { readKustomization } from '../support/kustomization.ts';
import { manifestRules, quantity } from '../support/manifest-rules.ts';

const base = readKustomization('manifests/base');

/** The base with one thing changed, as a slip of the pen would. */
function baseWith(from: string, to: string): KubernetesObject[] {
  const text = JSON.stringify(base);
  if (!text.includes(from)) throw new Error(`the base has no ${from}`);
  return JSON.parse(text.replace(from, to));
}

describe('manifestRules', () => {
  it.each<[keyof typeof manifestRules, string, string, string]>([
    [
      "a Deployment's selector matches its own pods",
      '"matchLabels":{"app.kubernetes.io/name":"image-api"}',
      '"matchLabels":{"app.kubernetes.io/name":"api"}',
      'image-api selects no pod of its own',
    ],
    [
      "a Service's selector matches pods, and its ports are theirs",
      '"selector":{"app.kubernetes.io/name":"image-processor"}',
      '"selector":{"app.kubernetes.io/name":"processor"}',
      'Service image-processor selects no pod',
    ],
    [
      "a Service's selector matches pods, and its ports are theirs",
      '"targetPort":"metrics"',
      '"targetPort":"metric"',
      'Service image-processor: image-processor has no port metric',
    ],
    [
      'every container has its three probes, at ports of its own',
      '"livenessProbe":{"httpGet":{"path":"/healthz","port":"http"}',
      '"livenessProbe":{"httpGet":{"path":"/healthz","port":"web"}',
      'image-api livenessProbe asks port web, which it has not',
    ],
    [
      'every container has its three probes, at ports of its own',
      '"startupProbe":{"grpc":{"port":50051}',
      '"startupProbe":{"grpc":{"port":50052}',
      'image-processor startupProbe asks port 50052, which it has not',
    ],
    [
      'every container has its three probes, at ports of its own',
      '"readinessProbe"',
      '"readiness"',
      'image-api has no readinessProbe',
    ],
    [
      'a container requests no more than its limit, and has a memory limit',
      '"requests":{"cpu":"250m","memory":"256Mi"}',
      '"requests":{"cpu":"250m","memory":"2Gi"}',
      'image-api requests memory 2Gi of 1Gi',
    ],
    [
      'a container requests no more than its limit, and has a memory limit',
      '"limits":{"cpu":"1","memory":"1Gi"}',
      '"limits":{"cpu":"1"}',
      'image-api has no memory limit',
    ],
    [
      'pods keep to the restricted Pod Security Standard, with a root that is read-only',
      '"runAsNonRoot":true',
      '"runAsNonRoot":false',
      'image-api may run as root',
    ],
    [
      'pods keep to the restricted Pod Security Standard, with a root that is read-only',
      '"drop":["ALL"]',
      '"drop":["NET_RAW"]',
      'image-api keeps capabilities',
    ],
    [
      'volumes and ConfigMaps that a container names are there',
      '"volumes":[{"name":"tmp"',
      '"volumes":[{"name":"temp"',
      'image-api has no volume tmp',
    ],
    [
      'volumes and ConfigMaps that a container names are there',
      '"configMapRef":{"name":"image-api"}',
      '"configMapRef":{"name":"api"}',
      'image-api: there is no ConfigMap api',
    ],
    [
      'an image has a tag that is not latest',
      '"image":"image-api:0.2.0"',
      '"image":"image-api:latest"',
      'image-api has the image image-api:latest',
    ],
    [
      'an image has a tag that is not latest',
      '"image":"image-api:0.2.0"',
      '"image":"localhost:5000/image-api"',
      'image-api has the image localhost:5000/image-api',
    ],
  ])('sees a break of: %s (%s → %s)', (promise, from, to, problem) => {
    expect(manifestRules[promise](baseWith(from, to))).toContain(problem);
  });

  it("sees an autoscaler's minimum over its maximum", () => {
    const autoscaler = {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'image-processor' },
      spec: { minReplicas: 5, maxReplicas: 4 },
    };
    expect(manifestRules["an autoscaler's minimum is not over its maximum"]([autoscaler])).toEqual([
      'image-processor has minReplicas over maxReplicas',
    ]);
  });
});

describe(schemaProblems, () => {
  it.each([
    ['an unknown field', '"readOnlyRootFilesystem"', '"readonlyRootFilesystem"'],
    ['a value of another type', '"minReadySeconds":30', '"minReadySeconds":"thirty"'],
    ['a word that is none of the allowed', '"type":"ClusterIP"', '"type":"Cluster"'],
    ['a field that is missing', '"mountPath":"/tmp"', '"subPath":"tmp"'],
    ['a version that Kubernetes has no more', '"apiVersion":"apps/v1"', '"apiVersion":"apps/v1beta1"'],
  ])('sees %s', async (_slip, from, to) => {
    const problems = await Promise.all(baseWith(from, to).map(schemaProblems));
    expect(problems.flat()).not.toEqual([]);
  });
});

describe(quantity, () => {
  it('reads cores and bytes', () => {
    expect(quantity('250m')).toBe(0.25);
    expect(quantity('2')).toBe(2);
    expect(quantity('64Mi')).toBe(67_108_864);
  });
});
