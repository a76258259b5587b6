import type { KubernetesObject } from '../support/kubernetes-schema.ts';

/*
 * The objects of the chart beside those of kustomize. These differences are allowed, and no others:
 *
 * 1. The chart's objects have the labels `chartLabels` in `metadata.labels`, and a namespace; those of kustomize need not.
 * 2. Labels and selectors of the chart, those of policies included, also have the release: `app.kubernetes.io/instance`.
 * 3. ConfigMaps of kustomize end in a hash; the chart's keep their name, and pods have `checksum/environment` instead.
 * 4. The overlays create their Namespace. Helm does that with --create-namespace.
 */

type Labels = Readonly<Record<string, string>>;
type Objects = Record<string, KubernetesObject & { metadata: { labels?: Labels } }>;

const instance = 'app.kubernetes.io/instance';
const checksum = 'checksum/environment';
const chartLabels = [
  'app.kubernetes.io/name',
  'app.kubernetes.io/component',
  'app.kubernetes.io/part-of',
  'app.kubernetes.io/version',
  'app.kubernetes.io/managed-by',
  'helm.sh/chart',
];

/** The objects of kustomize by kind and name, without the differences that are allowed. */
export function ofKustomize(objects: readonly KubernetesObject[]): Objects {
  return byName(
    objects
      .filter(({ kind }) => kind !== 'Namespace')
      .map((object) =>
        mapped(object, (_key, value) =>
          typeof value === 'string' ? value.replace(/^(image-(?:api|processor))-[a-z0-9]{10}$/, '$1') : value,
        ),
      ),
  );
}

/** The objects of the chart by kind and name, without the differences to `expected` that are allowed. */
export function ofChart(objects: readonly KubernetesObject[], release: string, expected: Objects): Objects {
  const found = byName(
    objects.map((object) =>
      mapped(object, (key, value) => {
        if (key === instance && value !== release) throw new Error(`${instance} is ${value}`);
        if (key === instance || key === checksum) return undefined;
        const only = value && typeof value === 'object' ? Object.keys(value).join() : '';
        return only === instance || only === checksum ? undefined : value;
      }),
    ),
  );
  for (const [key, { metadata }] of Object.entries(found)) {
    const other = expected[key]?.metadata;
    const { namespace: _namespace, labels = {}, ...rest } = metadata;
    const kept = Object.entries(labels).filter(
      ([name]) => !chartLabels.includes(name) || name in (other?.labels ?? {}),
    );
    Object.assign(found[key] ?? {}, {
      metadata: {
        ...rest,
        ...(other?.namespace === undefined ? {} : { namespace: metadata.namespace }),
        ...(kept.length === 0 ? {} : { labels: Object.fromEntries(kept) }),
      },
    });
  }
  return found;
}

function byName(objects: readonly KubernetesObject[]): Objects {
  return Object.fromEntries(objects.map((object) => [`${object.kind} ${object.metadata.name}`, object]));
}

/** A copy of an object, with other values of its keys; undefined leaves a key out. */
function mapped(
  object: KubernetesObject,
  change: (key: string, value: unknown) => unknown,
): KubernetesObject {
  return JSON.parse(JSON.stringify(object, change));
}
