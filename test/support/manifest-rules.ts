import type {
  V1ConfigMap,
  V1Container,
  V1Deployment,
  V1Probe,
  V1Service,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import type { KubernetesObject } from './kubernetes-schema.ts';

/** Objects of one namespace that are applied together. */
export type Manifest = readonly KubernetesObject[];

/** Returns the problems, one line each. */
type Rule = (manifest: Manifest) => string[];

/** Rules against errors that Kubernetes accepts without a warning, by the property that each ensures. */
export const manifestRules = {
  "a Deployment's selector matches its own pods": (manifest) =>
    deploymentsOf(manifest)
      .filter(({ spec }) => !isSubset(spec?.selector.matchLabels, spec?.template.metadata?.labels))
      .map((deployment) => `${nameOf(deployment)} selects no pod of its own`),

  "a Service's selector matches pods, and its ports are theirs": (manifest) =>
    servicesOf(manifest).flatMap((service) => {
      const targets = deploymentsBehind(service, manifest);
      if (targets.length === 0) return [`Service ${nameOf(service)} selects no pod`];
      const targetPorts = (service.spec?.ports ?? []).map(({ port, targetPort }) => targetPort ?? port);
      return targets.flatMap((deployment) =>
        targetPorts
          .filter((port) => !containersOf(deployment).some((container) => hasPort(container, port)))
          .map((port) => `Service ${nameOf(service)}: ${nameOf(deployment)} has no port ${port}`),
      );
    }),

  'every container has its three probes, at ports of its own': (manifest) =>
    everyContainer(manifest, (container) =>
      (['startupProbe', 'readinessProbe', 'livenessProbe'] as const).flatMap((name) => {
        const probe = container[name];
        if (probe === undefined) return [`has no ${name}`];
        const port = portOf(probe);
        return port === undefined || hasPort(container, port)
          ? []
          : [`${name} asks port ${port}, which it has not`];
      }),
    ),

  'a container requests no more than its limit, and has a memory limit': (manifest) =>
    everyContainer(manifest, ({ resources }) => {
      const { requests = {}, limits = {} } = resources ?? {};
      const over = Object.entries(requests).filter(
        ([name, request]) => quantity(request) > quantity(limits[name] ?? 'Infinity'),
      );
      return [
        ...['cpu', 'memory'].filter((name) => !(name in requests)).map((name) => `requests no ${name}`),
        ...('memory' in limits ? [] : ['has no memory limit']),
        ...over.map(([name, request]) => `requests ${name} ${request} of ${limits[name]}`),
      ];
    }),

  "an autoscaler's minimum is not over its maximum": (manifest) =>
    manifest
      .filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
      .map((object) => object as unknown as V2HorizontalPodAutoscaler)
      .filter(({ spec }) => (spec?.minReplicas ?? 1) > (spec?.maxReplicas ?? 0))
      .map((autoscaler) => `${nameOf(autoscaler)} has minReplicas over maxReplicas`),

  'pods keep to the restricted Pod Security Standard, with a root that is read-only': (manifest) => [
    ...deploymentsOf(manifest).flatMap((deployment) => {
      const pod = deployment.spec?.template.spec;
      return [
        ...(pod?.securityContext?.runAsNonRoot ? [] : ['may run as root']),
        ...(pod?.securityContext?.seccompProfile?.type === 'RuntimeDefault'
          ? []
          : ['has no seccomp profile']),
        ...(pod?.automountServiceAccountToken === false ? [] : ['gets a token of the API server']),
      ].map((problem) => `${nameOf(deployment)} ${problem}`);
    }),
    ...everyContainer(manifest, ({ securityContext }) => [
      ...(securityContext?.allowPrivilegeEscalation === false ? [] : ['may escalate its privileges']),
      ...(securityContext?.readOnlyRootFilesystem ? [] : ['may write to its root']),
      ...(securityContext?.capabilities?.drop?.includes('ALL') ? [] : ['keeps capabilities']),
    ]),
  ],

  'volumes and ConfigMaps that a container names are there': (manifest) =>
    deploymentsOf(manifest).flatMap((deployment) => {
      const volumes = (deployment.spec?.template.spec?.volumes ?? []).map(({ name }) => name);
      const configMaps = configMapsOf(manifest).map(nameOf);
      return containersOf(deployment).flatMap(({ volumeMounts = [], envFrom = [] }) => [
        ...volumeMounts
          .filter(({ name }) => !volumes.includes(name))
          .map(({ name }) => `${nameOf(deployment)} has no volume ${name}`),
        ...envFrom
          .map(({ configMapRef }) => configMapRef?.name ?? '')
          .filter((name) => !configMaps.includes(name))
          .map((name) => `${nameOf(deployment)}: there is no ConfigMap ${name}`),
      ]);
    }),

  'an image has a tag that is not latest': (manifest) =>
    everyContainer(manifest, ({ image = '' }) =>
      /:(?!latest$)[\w.-]+$/.test(image) ? [] : [`has the image ${image}`],
    ),
} satisfies Record<string, Rule>;

/** The Deployment of a name. */
export function deploymentOf(manifest: Manifest, name: string): V1Deployment {
  return found(deploymentsOf(manifest), name);
}

/** The Service of a name. */
export function serviceOf(manifest: Manifest, name: string): V1Service {
  return found(servicesOf(manifest), name);
}

/** The only container of a Deployment. */
export function containerOf(manifest: Manifest, name: string): V1Container {
  const [container, ...others] = containersOf(deploymentOf(manifest, name));
  if (container === undefined || others.length > 0) throw new Error(`${name} has not just one container`);
  return container;
}

/** The environment that a Deployment's container gets from its ConfigMaps. */
export function environmentOf(manifest: Manifest, name: string): Record<string, string> {
  const names = (containerOf(manifest, name).envFrom ?? []).map(({ configMapRef }) => configMapRef?.name);
  const maps = configMapsOf(manifest).filter((map) => names.includes(nameOf(map)));
  return Object.assign({}, ...maps.map(({ data }) => data));
}

/** Cores or bytes of a quantity such as 250m or 64Mi. */
export function quantity(text: string): number {
  const [, number = '', unit = ''] = /^([\d.]+|Infinity)([A-Za-z]*)$/.exec(text) ?? [];
  const factors: Record<string, number> = { '': 1, m: 1e-3, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 };
  return Number(number) * (factors[unit] ?? Number.NaN);
}

function ofKind(manifest: Manifest, kind: string): readonly unknown[] {
  return manifest.filter((object) => object.kind === kind);
}
const deploymentsOf = (manifest: Manifest) => ofKind(manifest, 'Deployment') as V1Deployment[];
const servicesOf = (manifest: Manifest) => ofKind(manifest, 'Service') as V1Service[];
const configMapsOf = (manifest: Manifest) => ofKind(manifest, 'ConfigMap') as V1ConfigMap[];

const nameOf = ({ metadata }: { metadata?: { name?: string } }) => metadata?.name ?? '';
const containersOf = ({ spec }: V1Deployment) => spec?.template.spec?.containers ?? [];

function found<Named extends { metadata?: { name?: string } }>(
  objects: readonly Named[],
  name: string,
): Named {
  const object = objects.find((candidate) => nameOf(candidate) === name);
  if (object === undefined) throw new Error(`there is no ${name}`);
  return object;
}

function everyContainer(manifest: Manifest, problemsOf: (container: V1Container) => string[]): string[] {
  return deploymentsOf(manifest).flatMap((deployment) =>
    containersOf(deployment).flatMap((container) =>
      problemsOf(container).map((problem) => `${nameOf(deployment)} ${problem}`),
    ),
  );
}

function deploymentsBehind({ spec }: V1Service, manifest: Manifest): V1Deployment[] {
  return deploymentsOf(manifest).filter((deployment) =>
    isSubset(spec?.selector, deployment.spec?.template.metadata?.labels),
  );
}

function isSubset(labels: Record<string, string> = {}, of: Record<string, string> = {}): boolean {
  const entries = Object.entries(labels);
  return entries.length > 0 && entries.every(([name, value]) => of[name] === value);
}

function hasPort({ ports = [] }: V1Container, port: number | string): boolean {
  return ports.some(({ name, containerPort }) => port === name || port === containerPort);
}

function portOf({ httpGet, tcpSocket, grpc }: V1Probe): number | string | undefined {
  return httpGet?.port ?? tcpSocket?.port ?? grpc?.port;
}
