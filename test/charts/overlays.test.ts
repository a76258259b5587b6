import { describe, expect, it } from 'vitest';
import { chart, renderChart } from '../support/chart.ts';
import type { KubernetesObject } from '../support/kubernetes-schema.ts';
import { canRender, renderKustomization, renderWithComponent } from '../support/kustomization.ts';
import { helm } from '../support/tools.ts';
import { ofChart, ofKustomize } from './same-objects.ts';

const example = (name: string) => ['--values', `${chart}/examples/${name}.yaml`];
const set = (...values: string[]) => values.flatMap((value) => ['--set-json', value]);

/** Values beside examples/production.yaml that do what a component of kustomize does. */
const components: Readonly<Record<string, readonly string[]>> = {
  credentials: set('credentials.existingSecret="image-api-credentials"'),
  gateway: set(
    'ingress.enabled=false',
    'httpRoute={"enabled":true,"hostnames":["images.example"],"parentRefs":[{"name":"public","namespace":"gateway","sectionName":"https"}]}',
    'networkPolicy.ingressNamespace="gateway"',
  ),
  'grpc-callers': set('networkPolicy.grpcCallers=true'),
  keda: set('keda.enabled=true'),
  'managed-redis': set('redis.enabled=false', 'networkPolicy.redis.cidrs=["10.20.30.0/28"]'),
};

function expectSame(rendered: readonly KubernetesObject[], kustomized: readonly KubernetesObject[]): void {
  const expected = ofKustomize(kustomized);
  expect(ofChart(rendered, 'image-service', expected)).toEqual(expected);
}

describe.skipIf(helm === undefined || !canRender)('the chart image-service', () => {
  it('has the objects of manifests/base', () => {
    expectSame(renderChart(), renderKustomization('manifests/base'));
  });

  it.each(['minikube', 'production'])('has the objects of manifests/overlays/%s', (overlay) => {
    expectSame(renderChart(...example(overlay)), renderKustomization(`manifests/overlays/${overlay}`));
  });

  it.each(Object.entries(components))(
    'has the objects of manifests/overlays/production with components/%s',
    async (component, values) => {
      const kustomized = await renderWithComponent('manifests/overlays/production', component);
      expectSame(renderChart(...example('production'), ...values), kustomized);
    },
  );

  it('has the objects of manifests/monitoring', () => {
    const kinds = ['serviceMonitor', 'podMonitor', 'prometheusRule', 'dashboard'];
    const services = Object.keys(ofKustomize(renderChart()));
    const rendered = renderChart(...set(...kinds.map((kind) => `${kind}.enabled=true`)));
    expectSame(
      rendered.filter(({ kind, metadata }) => !services.includes(`${kind} ${metadata.name}`)),
      renderKustomization('manifests/monitoring'),
    );
  });
});
