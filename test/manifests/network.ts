import { BlockList, isIPv6 } from 'node:net';
import type { V1LabelSelector, V1NetworkPolicyPeer, V1NetworkPolicyPort } from '@kubernetes/client-node';
import type { Manifest } from '../support/manifest-rules.ts';
import { peersOf, policiesOf, selects } from './production-rules.ts';

/** Somebody on the network: a pod with its address, or a host outside with nothing else. */
export interface Party {
  readonly address: string;
  /** Name of the namespace; undefined for who is no pod of this cluster. */
  readonly namespace?: string;
  /** Labels of the namespace besides its name. */
  readonly namespaceLabels?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The namespace that the policies are in. */
const here = 'image-service';

/** Whether NetworkPolicies let a connection through, as their API describes it: both ends have to agree. */
export function mayConnect(manifest: Manifest, from: Party, to: Party, port: number, protocol = 'TCP') {
  return sends(manifest, from, to, port, protocol) && receives(manifest, from, to, port, protocol);
}

function sends(manifest: Manifest, from: Party, to: Party, port: number, protocol: string): boolean {
  const policies = policiesFor(manifest, from, 'Egress');
  if (policies.length === 0) return true;
  return policies.some(({ egress = [] }) =>
    egress.some((rule) => isAmong(rule.to, to) && isOpen(rule.ports, port, protocol)),
  );
}

function receives(manifest: Manifest, from: Party, to: Party, port: number, protocol: string): boolean {
  const policies = policiesFor(manifest, to, 'Ingress');
  if (policies.length === 0) return true;
  return policies.some(({ ingress = [] }) =>
    ingress.some((rule) => isAmong(peersOf(rule), from) && isOpen(rule.ports, port, protocol)),
  );
}

function policiesFor(manifest: Manifest, party: Party, type: 'Ingress' | 'Egress') {
  if (party.namespace !== here) return [];
  return policiesOf(manifest)
    .flatMap(({ spec }) => spec ?? [])
    .filter(
      ({ policyTypes = [], podSelector }) =>
        policyTypes.includes(type) && selects(podSelector, { ...party.labels }),
    );
}

/** No list, or an empty one, is everybody. */
function isAmong(peers: readonly V1NetworkPolicyPeer[] = [], party: Party): boolean {
  return peers.length === 0 || peers.some((peer) => isMeant(peer, party));
}

function isMeant({ ipBlock, namespaceSelector, podSelector }: V1NetworkPolicyPeer, party: Party): boolean {
  if (ipBlock !== undefined) {
    return isIn([ipBlock.cidr], party.address) && !isIn(ipBlock.except ?? [], party.address);
  }
  if (party.namespace === undefined) return false;
  const isNamespace =
    namespaceSelector === undefined
      ? party.namespace === here
      : selects(namespaceSelector, {
          ...party.namespaceLabels,
          'kubernetes.io/metadata.name': party.namespace,
        });
  const anyPod: V1LabelSelector = {};
  return isNamespace && selects(podSelector ?? anyPod, { ...party.labels });
}

function isOpen(ports: readonly V1NetworkPolicyPort[] = [], port: number, protocol: string): boolean {
  return (
    ports.length === 0 ||
    ports.some((one) => (one.protocol ?? 'TCP') === protocol && (one.port === undefined || one.port === port))
  );
}

function isIn(ranges: readonly string[], address: string): boolean {
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', bits] = range.split('/');
    // IPv4 in IPv6's clothes would count as IPv4 too.
    if (isIPv6(network) === (family === 'ipv6')) list.addSubnet(network, Number(bits), family);
  }
  return list.check(address, family);
}
