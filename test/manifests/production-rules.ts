import type {
  V1Container,
  V1Deployment,
  V1LabelSelector,
  V1NetworkPolicy,
  V1NetworkPolicyIngressRule,
  V1NetworkPolicyPeer,
  V1NetworkPolicyPort,
  V1PodDisruptionBudget,
  V1Secret,
  V1ServiceAccount,
  V2HorizontalPodAutoscaler,
} from '@kubernetes/client-node';
import { environmentOf, type Manifest } from '../support/manifest-rules.ts';

/** Says what is wrong, a line each. */
type Rule = (manifest: Manifest) => string[];

/** Requirements of a fleet that Kubernetes does not check: the rules by their promise. */
export const productionRules = {
  'an autoscaler has a Deployment without replicas of its own, and measures a container of it': (manifest) =>
    autoscalersOf(manifest).flatMap((autoscaler) => {
      const deployment = deploymentsOf(manifest).find(
        (one) => nameOf(one) === autoscaler.spec?.scaleTargetRef.name,
      );
      if (deployment === undefined) return [`${nameOf(autoscaler)} scales nothing`];
      const containers = containersOf(deployment).map(({ name }) => name);
      const { minReplicas = 1, maxReplicas = 0, metrics = [] } = autoscaler.spec ?? {};
      return [
        ...(minReplicas < maxReplicas ? [] : ['has no room between minReplicas and maxReplicas']),
        ...(deployment.spec?.replicas === undefined ? [] : ['has replicas set by its Deployment, too']),
        ...metrics
          .flatMap(({ containerResource }) => containerResource?.container ?? [])
          .filter((name) => !containers.includes(name))
          .map((name) => `measures a container ${name} that there is not`),
      ].map((problem) => `${nameOf(autoscaler)} ${problem}`);
    }),

  'a disruption budget has a Deployment, and lets some but not all pods of the smallest fleet go': (
    manifest,
  ) =>
    budgetsOf(manifest).flatMap((budget) => {
      const targets = deploymentsOf(manifest).filter((one) => selects(budget.spec?.selector, podLabels(one)));
      if (targets.length !== 1) return [`${nameOf(budget)} is for ${targets.length} Deployments`];
      const smallest = smallestFleet(targets[0] as V1Deployment, manifest);
      const mayGo = roundedUp(budget.spec?.maxUnavailable ?? 0, smallest);
      return mayGo >= 1 && mayGo < smallest ? [] : [`${nameOf(budget)} lets ${mayGo} of ${smallest} go`];
    }),

  'autoscaled pods are spread over zones and nodes, and a rollout takes none away first': (manifest) =>
    autoscaledOf(manifest).flatMap((deployment) => {
      const { topologySpreadConstraints: spread = [] } = deployment.spec?.template.spec ?? {};
      const missing = ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].filter(
        (key) => !spread.some(({ topologyKey }) => topologyKey === key),
      );
      return [
        ...missing.map((key) => `is not spread by ${key}`),
        ...spread
          .filter(({ labelSelector }) => !selects(labelSelector, podLabels(deployment)))
          .map(({ topologyKey }) => `is spread by ${topologyKey} among pods of others`),
        ...(deployment.spec?.strategy?.rollingUpdate?.maxUnavailable === 0
          ? []
          : ['may lose pods in a rollout']),
      ].map((problem) => `${nameOf(deployment)} ${problem}`);
    }),

  "a pod's grace period has room for preStop and the drain, and preStop there is": (manifest) =>
    autoscaledOf(manifest).flatMap((deployment) => {
      const { SHUTDOWN_DELAY_MS, SHUTDOWN_TIMEOUT_MS } = environmentOf(manifest, nameOf(deployment));
      const preStop = containersOf(deployment)[0]?.lifecycle?.preStop?.sleep?.seconds ?? 0;
      const ends = preStop + (Number(SHUTDOWN_DELAY_MS) + Number(SHUTDOWN_TIMEOUT_MS)) / 1000;
      const grace = deployment.spec?.template.spec?.terminationGracePeriodSeconds ?? 30;
      return [
        ...(preStop > 0 ? [] : [`${nameOf(deployment)} has no preStop`]),
        ...(ends < grace ? [] : [`${nameOf(deployment)} may take ${ends} s of ${grace} s to end`]),
      ];
    }),

  'a workload has an account of its own, without a token': (manifest) =>
    deploymentsOf(manifest).flatMap((deployment) => {
      const { serviceAccountName } = deployment.spec?.template.spec ?? {};
      const account = accountsOf(manifest).find((one) => nameOf(one) === serviceAccountName);
      if (serviceAccountName !== nameOf(deployment) || account === undefined)
        return [`${nameOf(deployment)} runs as ${serviceAccountName}`];
      return account.automountServiceAccountToken === false
        ? []
        : [`${nameOf(deployment)} gets a token of the API server`];
    }),

  'a container has limits of CPU and memory, and gets all the memory that it may have': (manifest) =>
    deploymentsOf(manifest).flatMap((deployment) =>
      containersOf(deployment).flatMap(({ resources: { limits = {}, requests = {} } = {} }) => [
        ...['cpu', 'memory'].filter((name) => !(name in limits)).map((name) => `has no ${name} limit`),
        ...(limits.memory === requests.memory ? [] : [`requests memory ${requests.memory}`]),
      ]),
    ),

  'every Secret that a pod names is there with its keys, and no file of one is mounted by subPath': (
    manifest,
  ) =>
    deploymentsOf(manifest).flatMap((deployment) => [
      ...secretKeysOf(deployment)
        .filter(([name, key]) => !hasKey(manifest, name, key))
        .map(([name, key]) => `${nameOf(deployment)}: there is no ${key} in a Secret ${name}`),
      ...containersOf(deployment)
        .flatMap(({ volumeMounts = [] }) => volumeMounts)
        .filter(({ subPath }) => subPath !== undefined)
        .map(({ mountPath }) => `${nameOf(deployment)}: ${mountPath} would never change`),
    ]),

  'a network policy selects pods, and names ports that they have': (manifest) =>
    policiesOf(manifest).flatMap((policy) => {
      const { podSelector, ingress = [], egress = [] } = policy.spec ?? {};
      const selected = deploymentsOf(manifest).filter((one) => selects(podSelector, podLabels(one)));
      const peers = egress.flatMap(({ to = [], ports = [] }) =>
        to
          .filter((peer) => peer.podSelector !== undefined && peer.namespaceSelector === undefined)
          .map((peer) => ({ peer, ports })),
      );
      const sources = ingress
        .flatMap(peersOf)
        .filter((peer) => peer.podSelector !== undefined && peer.namespaceSelector === undefined);
      const unknown = [...peers.map(({ peer }) => peer), ...sources].filter(
        (peer) => !deploymentsOf(manifest).some((one) => selects(peer.podSelector, podLabels(one))),
      );
      const closed = [
        ...ingress.flatMap(({ ports = [] }) => portsWithout(ports, selected)),
        ...peers.flatMap(({ peer, ports }) =>
          portsWithout(
            ports,
            deploymentsOf(manifest).filter((one) => selects(peer.podSelector, podLabels(one))),
          ),
        ),
      ];
      return [
        ...(selected.length > 0 ? [] : ['selects no pod']),
        ...unknown.map(({ podSelector: peer }) => `has a peer that is no pod: ${JSON.stringify(peer)}`),
        ...closed.map((port) => `opens port ${port}, where nobody listens`),
      ].map((problem) => `${nameOf(policy)} ${problem}`);
    }),
} satisfies Record<string, Rule>;

/** Whether a label selector takes a pod with these labels; no selector takes none, an empty one takes all. */
export function selects(selector: V1LabelSelector | undefined, labels: Record<string, string>): boolean {
  if (selector === undefined) return false;
  const { matchLabels = {}, matchExpressions = [] } = selector;
  return (
    Object.entries(matchLabels).every(([name, value]) => labels[name] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      if (operator !== 'In') throw new Error(`${operator} is not read here`);
      return values.includes(labels[key] ?? '');
    })
  );
}

export const podLabels = ({ spec }: V1Deployment) => spec?.template.metadata?.labels ?? {};
export const policiesOf = (manifest: Manifest) => ofKind<V1NetworkPolicy>(manifest, 'NetworkPolicy');
export const autoscalersOf = (manifest: Manifest) =>
  ofKind<V2HorizontalPodAutoscaler>(manifest, 'HorizontalPodAutoscaler');

/** Those who may come in. The client's models call `from` `_from`; a manifest doesn't. */
export function peersOf(rule: V1NetworkPolicyIngressRule): V1NetworkPolicyPeer[] {
  return (rule as { from?: V1NetworkPolicyPeer[] }).from ?? [];
}

function ofKind<Kind>(manifest: Manifest, kind: string): Kind[] {
  return manifest.filter((object) => object.kind === kind) as unknown as Kind[];
}
const deploymentsOf = (manifest: Manifest) => ofKind<V1Deployment>(manifest, 'Deployment');
const budgetsOf = (manifest: Manifest) => ofKind<V1PodDisruptionBudget>(manifest, 'PodDisruptionBudget');
const accountsOf = (manifest: Manifest) => ofKind<V1ServiceAccount>(manifest, 'ServiceAccount');

const nameOf = ({ metadata }: { metadata?: { name?: string } }) => metadata?.name ?? '';
const containersOf = ({ spec }: V1Deployment): V1Container[] => spec?.template.spec?.containers ?? [];

function autoscaledOf(manifest: Manifest): V1Deployment[] {
  const names = autoscalersOf(manifest).map(({ spec }) => spec?.scaleTargetRef.name);
  return deploymentsOf(manifest).filter((deployment) => names.includes(nameOf(deployment)));
}

function smallestFleet(deployment: V1Deployment, manifest: Manifest): number {
  const autoscaler = autoscalersOf(manifest).find(
    ({ spec }) => spec?.scaleTargetRef.name === nameOf(deployment),
  );
  return autoscaler?.spec?.minReplicas ?? deployment.spec?.replicas ?? 1;
}

/** Pods of a number or a percentage, as Kubernetes rounds maxUnavailable of a disruption budget. */
function roundedUp(amount: number | string, pods: number): number {
  return typeof amount === 'number' ? amount : Math.ceil((Number.parseInt(amount, 10) / 100) * pods);
}

/** Name and key of each Secret that a pod's variables and volumes take. */
function secretKeysOf(deployment: V1Deployment): [name: string, key: string][] {
  const variables = containersOf(deployment).flatMap(({ env = [] }) =>
    env.flatMap(({ valueFrom }) => valueFrom?.secretKeyRef ?? []),
  );
  const volumes = (deployment.spec?.template.spec?.volumes ?? []).flatMap(({ secret }) => secret ?? []);
  return [
    ...variables.map(({ name, key }): [string, string] => [name ?? '', key]),
    ...volumes.flatMap(({ secretName, items = [] }) =>
      items.map(({ key }): [string, string] => [secretName ?? '', key]),
    ),
  ];
}

function hasKey(manifest: Manifest, name: string, key: string): boolean {
  const secret = ofKind<V1Secret>(manifest, 'Secret').find((one) => nameOf(one) === name);
  return secret?.stringData !== undefined && key in secret.stringData;
}

/** Those of the ports that one of the Deployments doesn't have. */
function portsWithout(ports: readonly V1NetworkPolicyPort[], deployments: readonly V1Deployment[]) {
  return ports
    .map(({ port }) => port)
    .filter(
      (port) =>
        !deployments.every((deployment) =>
          containersOf(deployment).some((container) =>
            container.ports?.some(({ containerPort, name }) => containerPort === port || name === port),
          ),
        ),
    );
}
