import { readFileSync } from 'node:fs';
import type { V1Ingress, V1Namespace } from '@kubernetes/client-node';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { apiKeysFile } from '../../src/api/auth/api-keys.ts';
import { linkSecretsFile } from '../../src/api/auth/signed-links.ts';
import { apiEnvironment, readApiConfig } from '../../src/api/config.ts';
import { openApiDocument } from '../../src/api/openapi/openapi.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { isPublicAddress } from '../../src/processor/source/public-address.ts';
import { type KubernetesObject, schemaProblems } from '../support/kubernetes-schema.ts';
import { canRender, renderKustomization, renderWithComponent } from '../support/kustomization.ts';
import {
  containerOf,
  deploymentOf,
  environmentOf,
  manifestRules,
  quantity,
  serviceOf,
} from '../support/manifest-rules.ts';
import { mayConnect, type Party } from './network.ts';
import { autoscalersOf, podLabels, productionRules } from './production-rules.ts';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const overlay = 'manifests/overlays/production';
const examples = ['redis-secret', 'credentials-secret'].flatMap((name) =>
  readObjects(`manifests/examples/${name}.yaml`),
);

function readObjects(file: string): KubernetesObject[] {
  return parseAllDocuments(readFileSync(file, 'utf8')).map((document) => document.toJS());
}

const renderWith = (component: string) => renderWithComponent(overlay, component);

describe.skipIf(!canRender)('manifests/overlays/production', () => {
  const manifest = canRender ? renderKustomization(overlay) : [];
  const withSecrets = [...manifest, ...examples];

  it.each(Object.entries(productionRules))('%s', (_promise, rule) => {
    expect(rule(withSecrets)).toEqual([]);
  });

  it.each<[keyof typeof productionRules, string, string, string]>([
    [
      'an autoscaler has a Deployment without replicas of its own, and measures a container of it',
      '"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"image-api"}',
      '"scaleTargetRef":{"apiVersion":"apps/v1","kind":"Deployment","name":"api"}',
      'image-api scales nothing',
    ],
    [
      'an autoscaler has a Deployment without replicas of its own, and measures a container of it',
      '"container":"api"',
      '"container":"image-api"',
      'image-api measures a container image-api that there is not',
    ],
    [
      'an autoscaler has a Deployment without replicas of its own, and measures a container of it',
      '"spec":{"selector":{"matchLabels":{"app.kubernetes.io/name":"image-api"}},"strategy"',
      '"spec":{"replicas":2,"selector":{"matchLabels":{"app.kubernetes.io/name":"image-api"}},"strategy"',
      'image-api has replicas set by its Deployment, too',
    ],
    [
      'an autoscaler has a Deployment without replicas of its own, and measures a container of it',
      '"minReplicas":3',
      '"minReplicas":30',
      'image-api has no room between minReplicas and maxReplicas',
    ],
    [
      'a disruption budget has a Deployment, and lets some but not all pods of the smallest fleet go',
      '"maxUnavailable":1,',
      '"maxUnavailable":0,',
      'image-api lets 0 of 3 go',
    ],
    [
      'a disruption budget has a Deployment, and lets some but not all pods of the smallest fleet go',
      '"maxUnavailable":"10%"',
      '"maxUnavailable":"70%"',
      'image-processor lets 3 of 3 go',
    ],
    [
      'autoscaled pods are spread over zones and nodes, and a rollout takes none away first',
      '"topologyKey":"topology.kubernetes.io/zone"',
      '"topologyKey":"zone"',
      'image-api is not spread by topology.kubernetes.io/zone',
    ],
    [
      'autoscaled pods are spread over zones and nodes, and a rollout takes none away first',
      '"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"image-api"}}',
      '"labelSelector":{"matchLabels":{"app.kubernetes.io/name":"api"}}',
      'image-api is spread by topology.kubernetes.io/zone among pods of others',
    ],
    [
      'autoscaled pods are spread over zones and nodes, and a rollout takes none away first',
      '"maxUnavailable":0}',
      '"maxUnavailable":1}',
      'image-api may lose pods in a rollout',
    ],
    [
      "a pod's grace period has room for preStop and the drain, and preStop there is",
      '"preStop":{"sleep":{"seconds":5}}',
      '"preStop":{"sleep":{"seconds":20}}',
      'image-api may take 60 s of 50 s to end',
    ],
    [
      "a pod's grace period has room for preStop and the drain, and preStop there is",
      '"lifecycle":{"preStop":{"sleep":{"seconds":5}}}',
      '"lifecycle":{}',
      'image-api has no preStop',
    ],
    [
      'a workload has an account of its own, without a token',
      '"serviceAccountName":"redis"',
      '"serviceAccountName":"default"',
      'redis runs as default',
    ],
    [
      'a workload has an account of its own, without a token',
      '"automountServiceAccountToken":false,"kind":"ServiceAccount"',
      '"kind":"ServiceAccount"',
      'image-api gets a token of the API server',
    ],
    [
      'a container has limits of CPU and memory, and gets all the memory that it may have',
      '"limits":{"cpu":"3","memory":"2560Mi"}',
      '"limits":{"memory":"3Gi"}',
      'has no cpu limit',
    ],
    [
      'a container has limits of CPU and memory, and gets all the memory that it may have',
      '"limits":{"cpu":"3","memory":"2560Mi"}',
      '"limits":{"cpu":"3","memory":"3Gi"}',
      'requests memory 2560Mi',
    ],
    [
      'every Secret that a pod names is there with its keys, and no file of one is mounted by subPath',
      '"key":"url","name":"redis"',
      '"key":"URL","name":"redis"',
      'image-processor: there is no URL in a Secret redis',
    ],
    [
      'every Secret that a pod names is there with its keys, and no file of one is mounted by subPath',
      '"mountPath":"/run/secrets/redis"',
      '"subPath":"redis.conf","mountPath":"/run/secrets/redis/redis.conf"',
      'redis: /run/secrets/redis/redis.conf would never change',
    ],
    [
      'a network policy selects pods, and names ports that they have',
      '"podSelector":{"matchLabels":{"app.kubernetes.io/name":"redis"}},"policyTypes"',
      '"podSelector":{"matchLabels":{"app.kubernetes.io/name":"cache"}},"policyTypes"',
      'redis selects no pod',
    ],
    [
      'a network policy selects pods, and names ports that they have',
      '"port":9464,"protocol":"TCP"',
      '"port":9465,"protocol":"TCP"',
      'image-processor opens port 9465, where nobody listens',
    ],
    [
      'a network policy selects pods, and names ports that they have',
      '"to":[{"podSelector":{"matchLabels":{"app.kubernetes.io/name":"image-processor"}}}]',
      '"to":[{"podSelector":{"matchLabels":{"app.kubernetes.io/name":"processor"}}}]',
      'image-api has a peer that is no pod: {"matchLabels":{"app.kubernetes.io/name":"processor"}}',
    ],
  ])('would show a break of: %s (%s → %s)', (promise, from, to, problem) => {
    const text = JSON.stringify(withSecrets);
    expect(text).toContain(from);
    expect(productionRules[promise](JSON.parse(text.replace(from, to)))).toContain(problem);
  });

  it('is in a namespace that lets in no pod with more rights than the restricted standard has', () => {
    const namespace = manifest.find(({ kind }) => kind === 'Namespace') as unknown as V1Namespace;
    expect(namespace.metadata?.labels).toMatchObject({ 'pod-security.kubernetes.io/enforce': 'restricted' });
    const outside = manifest.filter(
      ({ kind, metadata }) => kind !== 'Namespace' && metadata.namespace !== namespace.metadata?.name,
    );
    expect(outside).toEqual([]);
  });

  it('has no variable beside the ConfigMaps that the services do not know', () => {
    const variablesOf = (name: string) => (containerOf(manifest, name).env ?? []).map((one) => one.name);
    expect(Object.keys(apiEnvironment.shape)).toEqual(expect.arrayContaining(variablesOf('image-api')));
    expect(variablesOf('image-processor')).toEqual(['REDIS_URL']);
    expect(processorEnvironment.shape).toHaveProperty('REDIS_URL');
  });

  it('has images of a registry, by the version of the project or a digest', () => {
    for (const name of ['image-api', 'image-processor']) {
      const pattern = new RegExp(`^registry\\.example/${name}(:${version}|@sha256:[0-9a-f]{64})$`);
      expect(containerOf(manifest, name).image).toMatch(pattern);
    }
  });

  it('probes processors by gRPC at their gRPC port', () => {
    const { startupProbe, readinessProbe, livenessProbe } = containerOf(manifest, 'image-processor');
    for (const probe of [startupProbe, readinessProbe, livenessProbe])
      expect(probe?.grpc).toEqual({ port: 50051 });
  });

  describe('its Redis', () => {
    const { args = [], resources } = canRender ? containerOf(manifest, 'redis') : {};
    const settingOf = (option: string) => args[args.indexOf(option) + 1];

    it('stores nothing on a disk, and evicts the responses that were not requested', () => {
      expect(settingOf('--save')).toBe('');
      expect(settingOf('--appendonly')).toBe('no');
      expect(settingOf('--maxmemory-policy')).toBe('allkeys-lru');
    });

    it('leaves a quarter of its memory limit to buffers and fragments', () => {
      const maxMemory = Number.parseInt(settingOf('--maxmemory') ?? '', 10) * 2 ** 20;
      expect(settingOf('--maxmemory')).toMatch(/^\d+mb$/);
      expect(maxMemory).toBeLessThanOrEqual(quantity(resources?.limits?.memory ?? '') * 0.75);
    });

    it('wants the password that the URL of the processors has', () => {
      const [secret] = examples as unknown as [{ stringData: Record<string, string> }];
      const url = new URL(secret.stringData.url ?? '');
      expect(serviceOf(manifest, url.hostname).spec?.ports?.[0]?.port).toBe(Number(url.port));
      expect(secret.stringData['redis.conf']).toBe(`requirepass ${url.password}`);
      expect(args[0]).toBe('/run/secrets/redis/redis.conf');
    });
  });

  describe('its Ingress', () => {
    const ingress = manifest.find(({ kind }) => kind === 'Ingress') as unknown as V1Ingress;
    const paths = ingress?.spec?.rules?.[0]?.http?.paths ?? [];
    const { annotations = {} } = ingress?.metadata ?? {};
    const annotation = (name: string) => annotations[`nginx.ingress.kubernetes.io/${name}`] ?? '';
    const isOpen = (asked: string) =>
      paths.some(({ path = '', pathType }) =>
        pathType === 'Exact' ? asked === path : asked === path || asked.startsWith(`${path}/`),
      );

    it('leads to a port of the API, and has TLS for its host', () => {
      for (const { backend } of paths) {
        expect(backend.service?.name).toBe('image-api');
        const ports = serviceOf(manifest, 'image-api').spec?.ports?.map(({ name }) => name);
        expect(ports).toContain(backend.service?.port?.name);
      }
      expect(ingress.spec?.tls?.[0]?.hosts).toEqual([ingress.spec?.rules?.[0]?.host]);
    });

    it('has a path for everything that is described to callers, and none for probes and metrics', () => {
      const inside = ['/healthz', '/readyz', '/metrics'];
      const described = Object.keys((openApiDocument(readApiConfig({})) as { paths: object }).paths);
      expect(described.filter((path) => !inside.includes(path) && !isOpen(path))).toEqual([]);
      expect(inside.filter(isOpen)).toEqual([]);
    });

    it('has a path for everything that the pages load', () => {
      const pages = ['index.html', 'docs.html'].map((file) =>
        readFileSync(`build/playground/${file}`, 'utf8'),
      );
      const loaded = [...pages.join('').matchAll(/<(?:script|link)[^>]* (?:src|href)="([^"]+)"/g)].map(
        ([, path = '']) => new URL(path, 'http://images.example/').pathname,
      );
      expect(new Set(loaded).size).toBeGreaterThan(3);
      expect(['/', '/docs', ...loaded].filter((path) => !isOpen(path))).toEqual([]);
    });

    it('takes the largest upload with the frame of its multipart body, and little more', () => {
      const bytes = Number.parseInt(annotation('proxy-body-size'), 10) * 2 ** 20;
      const { maxUploadBytes } = readApiConfig(environmentOf(manifest, 'image-api'));
      expect(annotation('proxy-body-size')).toMatch(/^\d+m$/);
      expect(bytes).toBeGreaterThan(maxUploadBytes);
      expect(bytes).toBeLessThanOrEqual(maxUploadBytes + 2 ** 20);
    });

    it('waits longer than the longest request', () => {
      const { requestTimeoutMs } = readApiConfig(environmentOf(manifest, 'image-api'));
      expect(Number(annotation('proxy-read-timeout')) * 1000).toBeGreaterThan(requestTimeoutMs);
      expect(Number(annotation('proxy-send-timeout')) * 1000).toBeGreaterThan(requestTimeoutMs);
    });
  });

  describe('its network policies', () => {
    const podOf = (name: string, address: string): Party => ({
      address,
      namespace: 'image-service',
      labels: canRender ? podLabels(deploymentOf(manifest, name)) : {},
    });
    const parties: Record<string, Party> = {
      api: podOf('image-api', '10.1.0.1'),
      processor: podOf('image-processor', '10.1.0.2'),
      redis: podOf('redis', '10.1.0.3'),
      neighbour: { address: '10.1.0.4', namespace: 'image-service', labels: { app: 'debug' } },
      stranger: { address: '10.1.0.5', namespace: 'default', labels: { app: 'shop' } },
      'ingress controller': {
        address: '10.1.0.6',
        namespace: 'ingress-nginx',
        labels: { 'app.kubernetes.io/name': 'ingress-nginx' },
      },
      Prometheus: {
        address: '10.1.0.7',
        namespace: 'monitoring',
        labels: { 'app.kubernetes.io/name': 'prometheus' },
      },
      Grafana: {
        address: '10.1.0.8',
        namespace: 'monitoring',
        labels: { 'app.kubernetes.io/name': 'grafana' },
      },
      DNS: { address: '10.1.0.9', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } },
      'DNS on the node': { address: '169.254.20.10' },
      "OpenShift's DNS": {
        address: '10.1.0.10',
        namespace: 'openshift-dns',
        labels: { 'dns.operator.openshift.io/daemonset-dns': 'default' },
      },
      'API server': { address: '10.0.0.1' },
      metadata: { address: '169.254.169.254' },
      internet: { address: '93.184.215.14' },
    };
    const ours = ['api', 'processor', 'redis', 'neighbour'];

    it('let through these connections of all that there might be, and no other', () => {
      const ports = [53, 5353, 80, 443, 6379, 8080, 9464, 50051];
      const open = Object.entries(parties).flatMap(([from, source]) =>
        Object.entries(parties).flatMap(([to, target]) =>
          ports
            .filter(() => from !== to && (ours.includes(from) || ours.includes(to)))
            .filter((port) => mayConnect(manifest, source, target, port))
            .map((port) => `${from} → ${to}:${port}`),
        ),
      );
      expect(open).toEqual([
        'api → processor:50051',
        'api → DNS:53',
        'api → DNS on the node:53',
        "api → OpenShift's DNS:5353",
        'processor → redis:6379',
        'processor → DNS:53',
        'processor → DNS on the node:53',
        "processor → OpenShift's DNS:5353",
        ...ports.map((port) => `processor → internet:${port}`),
        'ingress controller → api:8080',
        'Prometheus → api:8080',
        'Prometheus → processor:9464',
      ]);
    });

    it('let names be asked for by UDP, too, and nothing else by it', () => {
      const { processor, api, DNS, internet } = parties as Record<string, Party> & typeof parties;
      expect(mayConnect(manifest, processor as Party, DNS as Party, 53, 'UDP')).toBe(true);
      expect(mayConnect(manifest, api as Party, DNS as Party, 53, 'UDP')).toBe(true);
      expect(mayConnect(manifest, processor as Party, internet as Party, 443, 'UDP')).toBe(false);
    });

    const reaches = (address: string) => mayConnect(manifest, parties.processor as Party, { address }, 443);

    // A policy can't look at the halves of an address: NAT64 is closed, ISATAP is left to the processor.
    const isLeftOut = (address: string) => {
      const { parts } = ipaddr.parse(address) as ipaddr.IPv6;
      const isIsatap = parts !== undefined && parts[5] === 0x5efe;
      return address.startsWith('64:ff9b:') || isIsatap;
    };

    it('let the processor out to the addresses that it takes for public itself, at the edges of each range', () => {
      const source = readFileSync('src/processor/source/public-address.ts', 'utf8');
      const policies = JSON.stringify(manifest.filter(({ kind }) => kind === 'NetworkPolicy'));
      const ranges = [...`${source}${policies}`.matchAll(/['"]([\da-f.:]+\/\d+)['"]/g)].map(
        ([, range]) => range as string,
      );
      expect(ranges.length).toBeGreaterThan(50);
      const edges = [...new Set(ranges.flatMap(edgesOf))].filter((address) => !isLeftOut(address));
      expect(edges.filter((address) => reaches(address) !== isPublicAddress(address))).toEqual([]);
    });

    it('let the processor out to the addresses that it takes for public itself, wherever they are', () => {
      fc.assert(
        fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
          const plain = ipaddr.parse(address).toString();
          return isLeftOut(plain) || reaches(plain) === isPublicAddress(plain);
        }),
        { numRuns: 300, seed: 20261124 },
      );
    });
  });
});

/** First and last address of a range, and those beside them. */
function edgesOf(range: string): string[] {
  const [network = '', bits] = range.split('/');
  const bytes = ipaddr.parse(network).toByteArray();
  const first = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  const size = 1n << BigInt(bytes.length * 8 - Number(bits));
  const end = 1n << BigInt(bytes.length * 8);
  return [first - 1n, first, first + size - 1n, first + size]
    .filter((value) => value >= 0n && value < end)
    .map((value) =>
      ipaddr
        .fromByteArray(
          bytes.map((_byte, at) => Number((value >> BigInt((bytes.length - 1 - at) * 8)) & 255n)),
        )
        .toString(),
    );
}

describe.skipIf(!canRender)('manifests/components', () => {
  it.each(['credentials', 'gateway', 'grpc-callers', 'keda', 'managed-redis'])(
    '%s leaves the overlay whole',
    async (component) => {
      const manifest = await renderWith(component);
      expect((await Promise.all(manifest.map(schemaProblems))).flat()).toEqual([]);
      // KEDA makes them from objects that are held equal to these below.
      const autoscalers =
        component === 'keda'
          ? renderKustomization(overlay).filter(({ kind }) => kind === 'HorizontalPodAutoscaler')
          : [];
      for (const rule of [...Object.values(manifestRules), ...Object.values(productionRules)])
        expect(rule([...manifest, ...autoscalers, ...examples])).toEqual([]);
    },
  );

  it('credentials mounts the files that the variables name, and the example has them as they are read', async () => {
    const manifest = await renderWith('credentials');
    const { API_KEYS_FILE = '', LINK_SECRETS_FILE = '' } = environmentOf(manifest, 'image-api');
    expect(Object.keys(apiEnvironment.shape)).toEqual(
      expect.arrayContaining(['API_KEYS_FILE', 'LINK_SECRETS_FILE']),
    );
    const mounts = containerOf(manifest, 'image-api').volumeMounts ?? [];
    const volumes = deploymentOf(manifest, 'image-api').spec?.template.spec?.volumes ?? [];
    const mount = mounts.find(({ name }) => name === 'credentials');
    const secretName = volumes.find(({ name }) => name === mount?.name)?.secret?.secretName;
    const secret = examples.find(({ metadata }) => metadata.name === secretName);
    const { stringData } = secret as unknown as { stringData: Record<string, string> };
    const contentOf = (file: string) =>
      JSON.parse(stringData[file.replace(`${mount?.mountPath}/`, '')] ?? '');
    expect(apiKeysFile.parse(contentOf(API_KEYS_FILE)).keys.map(({ id }) => id)).toEqual(['team-a-2026-11']);
    expect(linkSecretsFile.parse(contentOf(LINK_SECRETS_FILE)).secrets).toEqual([]);
  });

  it('gateway has the paths, host and port of the Ingress, and its time', async () => {
    const manifest = await renderWith('gateway');
    expect(manifest.filter(({ kind }) => kind === 'Ingress')).toEqual([]);
    const route = manifest.find(({ kind }) => kind === 'HTTPRoute') as unknown as {
      spec: {
        hostnames: string[];
        rules: {
          matches: { path: { type: string; value: string } }[];
          timeouts: { request: string };
          backendRefs: { name: string; port: number }[];
        }[];
      };
    };
    const [ingress] = readObjects(`${overlay}/ingress.yaml`) as unknown as [V1Ingress];
    const [rule] = route.spec.rules;
    const pathsOf = ingress.spec?.rules?.[0]?.http?.paths.map(({ path, pathType }) => ({
      path: { type: pathType === 'Prefix' ? 'PathPrefix' : pathType, value: path },
    }));
    expect(rule?.matches).toEqual(pathsOf);
    expect(route.spec.hostnames).toEqual([ingress.spec?.rules?.[0]?.host]);
    expect(rule?.timeouts.request).toBe('35s');
    const ports = serviceOf(manifest, rule?.backendRefs[0]?.name ?? '').spec?.ports?.map(({ port }) => port);
    expect(ports).toEqual([rule?.backendRefs[0]?.port]);
  });

  it('keda has the limits, the behaviour and the targets of the autoscalers that it replaces', async () => {
    const manifest = await renderWith('keda');
    expect(autoscalersOf(manifest)).toEqual([]);
    const scaled = manifest.filter(({ kind }) => kind === 'ScaledObject') as unknown as {
      spec: {
        scaleTargetRef: { name: string };
        minReplicaCount: number;
        maxReplicaCount: number;
        triggers: { type: string; metadata: Record<string, string> }[];
        advanced: { horizontalPodAutoscalerConfig: { name: string; behavior: unknown } };
      };
    }[];
    const summaries = scaled.map(({ spec }) => ({
      name: spec.scaleTargetRef.name,
      autoscaler: spec.advanced.horizontalPodAutoscalerConfig.name,
      limits: [spec.minReplicaCount, spec.maxReplicaCount],
      behavior: spec.advanced.horizontalPodAutoscalerConfig.behavior,
      inFlight: spec.triggers.find(({ type }) => type === 'prometheus')?.metadata.threshold,
      cpu: spec.triggers.find(({ type }) => type === 'cpu')?.metadata,
    }));
    const replaced = autoscalersOf(renderKustomization(overlay)).map(({ metadata, spec }) => ({
      name: spec?.scaleTargetRef.name,
      autoscaler: metadata?.name,
      limits: [spec?.minReplicas, spec?.maxReplicas],
      behavior: spec?.behavior,
      inFlight: spec?.metrics?.flatMap(({ pods }) => pods ?? [])[0]?.target.averageValue,
      cpu: spec?.metrics
        ?.flatMap(({ containerResource }) => containerResource ?? [])
        .map(({ container, target }) => ({
          value: String(target.averageUtilization),
          containerName: container,
        }))[0],
    }));
    expect(summaries).toHaveLength(2);
    expect(summaries).toEqual(replaced);
  });

  it('grpc-callers lets labelled pods of labelled namespaces reach the processors, and believes nobody', async () => {
    const manifest = await renderWith('grpc-callers');
    const labels = { 'image-service.example/calls-processor': 'true' };
    const processor: Party = {
      address: '10.1.0.2',
      namespace: 'image-service',
      labels: podLabels(deploymentOf(manifest, 'image-processor')),
    };
    const pod = (podLabels: Record<string, string>, namespaceLabels: Record<string, string>): Party => ({
      address: '10.1.0.5',
      namespace: 'shop',
      namespaceLabels,
      labels: podLabels,
    });
    expect(mayConnect(manifest, pod(labels, labels), processor, 50_051)).toBe(true);
    expect(mayConnect(manifest, pod(labels, labels), processor, 9464)).toBe(false);
    expect(mayConnect(manifest, pod(labels, {}), processor, 50_051)).toBe(false);
    expect(mayConnect(manifest, pod({}, labels), processor, 50_051)).toBe(false);
    expect(environmentOf(manifest, 'image-processor').TRUST_CALLER_METADATA).toBe('false');
  });

  it('managed-redis takes the pod away and lets the processors out to its range', async () => {
    const manifest = await renderWith('managed-redis');
    expect(manifest.filter(({ metadata }) => metadata.name === 'redis')).toEqual([]);
    const labels = podLabels(deploymentOf(manifest, 'image-processor'));
    const processor = { address: '10.1.0.2', namespace: 'image-service', labels };
    expect(mayConnect(manifest, processor, { address: '10.20.30.1' }, 6379)).toBe(true);
    expect(mayConnect(manifest, processor, { address: '10.20.31.1' }, 6379)).toBe(false);
    expect(mayConnect(manifest, processor, { address: '10.20.30.1' }, 80)).toBe(false);
  });
});

describe('manifests/examples', () => {
  it.each(examples.map((object) => [object.metadata.name, object] as const))(
    'Secret %s has the shape that Kubernetes wants',
    async (_name, object) => {
      expect(await schemaProblems(object)).toEqual([]);
    },
  );

  it('give prometheus-adapter the metrics that the autoscalers ask for', () => {
    const { rules } = parse(readFileSync('manifests/examples/prometheus-adapter.yaml', 'utf8')) as {
      rules: { custom: { name: { as: string } }[] };
    };
    const asked = (readObjects(`${overlay}/autoscalers.yaml`) as unknown as ReturnType<typeof autoscalersOf>)
      .flatMap(({ spec }) => spec?.metrics ?? [])
      .flatMap(({ pods }) => pods?.metric.name ?? []);
    expect(rules.custom.map(({ name }) => name.as)).toEqual(asked);
  });
});
