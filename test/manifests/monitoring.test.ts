import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { readEnvironment } from '../../src/environment.ts';
import { failureKinds } from '../../src/failures.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { storeOutcomes } from '../../src/processor/sink/sink.ts';
import { schemaProblems } from '../support/kubernetes-schema.ts';
import { canRender, readKustomization, renderKustomization } from '../support/kustomization.ts';
import { containerOf, deploymentOf, environmentOf, serviceOf } from '../support/manifest-rules.ts';
import { startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';
import { podLabels, selects } from './production-rules.ts';
import { type Selector, selectorsOf } from './promql.ts';

interface Alert {
  readonly alert: string;
  readonly expr: string;
  readonly labels: { readonly severity: string };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    readonly runbook_url: string;
  };
}

interface Recording {
  readonly record: string;
  readonly expr: string;
  readonly labels: { readonly slo: string };
}

const read = (path: string) => readFileSync(`manifests/${path}`, 'utf8');
/** The groups of rules of manifests/monitoring. */
const rules: { groups: { rules: (Alert | Recording)[] }[] } = {
  groups: ['alerts', 'slos'].flatMap((name) => parse(read(`monitoring/${name}.yaml`)).spec.groups),
};
const everyRule = rules.groups.flatMap((group) => group.rules);
const alerts = everyRule.filter((rule) => 'alert' in rule);
const recordings = everyRule.filter((rule) => 'record' in rule);
const dashboard = JSON.parse(read('monitoring/dashboard.json'));
const base = readKustomization('manifests/base');

/** Every query of the repository, by where it is. */
const queries: readonly (readonly [string, string])[] = [
  ...alerts.map(({ alert, expr }) => [alert, expr] as const),
  ...recordings.map(({ record, labels, expr }) => [`${record}, ${labels.slo}`, expr] as const),
  ...(dashboard.panels as { title: string; targets?: { expr: string }[] }[]).flatMap(
    ({ title, targets = [] }) => targets.map(({ expr }) => [`dashboard, ${title}`, expr] as const),
  ),
  ['dashboard, namespace', /\(([^,]+),/.exec(dashboard.templating.list[1].definition)?.[1] ?? ''],
  ...(
    parse(read('examples/prometheus-adapter.yaml')).rules.custom as {
      seriesQuery: string;
      metricsQuery: string;
      name: { as: string };
    }[]
  ).flatMap(({ seriesQuery, metricsQuery, name }) => [
    [`adapter, ${name.as}, series`, seriesQuery] as const,
    [`adapter, ${name.as}`, metricsQuery.replaceAll(/<<[^>]*>>/g, '')] as const,
  ]),
  ...parseAllDocuments(read('components/keda/scaled-objects.yaml'))
    .map((document) => document.toJS())
    .map((one) => [`KEDA, ${one.metadata.name}`, one.spec.triggers[0].metadata.query] as const),
];

/** Metrics of other programs than the two services: Prometheus itself, kube-state-metrics, the kubelet. */
const metricsOfOthers = [
  'up',
  'kube_horizontalpodautoscaler_spec_max_replicas',
  'kube_horizontalpodautoscaler_status_current_replicas',
  'kube_horizontalpodautoscaler_status_desired_replicas',
  'kube_pod_container_status_last_terminated_reason',
  'kube_pod_container_status_restarts_total',
  'container_cpu_cfs_periods_total',
  'container_cpu_cfs_throttled_periods_total',
  'container_memory_working_set_bytes',
];
/** Labels that Prometheus gives to what it scrapes. */
const labelsOfTargets = ['namespace', 'pod', 'job'];

const selectors: readonly (Selector & { where: string })[] = queries.flatMap(([where, query]) =>
  selectorsOf(query).map((selector) => ({ where, ...selector })),
);
const recorded = recordings.map(({ record }) => record);
const ofServices = selectors.filter(
  ({ metric }) => !metricsOfOthers.includes(metric) && !recorded.includes(metric),
);

describe(selectorsOf, () => {
  it('finds the series of a query, and their labels', () => {
    const query = `histogram_quantile(0.99, sum by (namespace, le) (rate(a_bucket{route!~"/x|{y}", b="c"}[5m])))
      / on (namespace) group_left () d_total > 2.5 and on (pod) absent(e{})`;
    expect(selectorsOf(query)).toEqual([
      { metric: 'a_bucket', labels: { route: '/x|{y}', b: 'c' } },
      { metric: 'd_total', labels: {} },
      { metric: 'e', labels: {} },
    ]);
  });
});

describe('the metrics that alerts, dashboard and autoscalers ask for', () => {
  /** Samples by name, each with its labels; histograms by what they are made of. */
  const exposed = new Map<string, Set<string>>();

  beforeAll(async () => {
    await using service = await startService({ processor: { REDIS_URL: 'redis://127.0.0.1:1' } });
    const image = readFileSync('test/fixtures/sample.jpg');
    const send = (body: string | Uint8Array<ArrayBuffer>) =>
      fetch(`${service.url}/v1/images`, { method: 'POST', body }).then(async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      });
    expect(await send(image)).toBe(200);
    expect(await send('no image')).toBe(415);
    const listens = service.processor.log.find((line) => line.includes('metricsPort')) ?? '{}';
    const { metricsPort } = JSON.parse(listens);
    for (const url of [service.url, `http://127.0.0.1:${metricsPort}`])
      readExposition(await fetch(`${url}/metrics`).then((answer) => answer.text()));
  });

  function readExposition(text: string): void {
    const labelsOf = (name: string) => {
      const known = exposed.get(name) ?? new Set<string>();
      exposed.set(name, known);
      return known;
    };
    // A counter without samples has its name only here.
    for (const [, name = ''] of text.matchAll(/^# TYPE (\S+) (?!histogram)/gm)) labelsOf(name);
    for (const [, name = '', labels = ''] of text.matchAll(/^(\w+)(?:\{(.*)\})? \S+$/gm))
      for (const [, label = ''] of labels.matchAll(/(\w+)="/g)) labelsOf(name).add(label);
  }

  it('are exposed by the two services, every one', () => {
    const missing = ofServices.filter(({ metric }) => !exposed.has(metric));
    expect(missing.map(({ where, metric }) => `${where}: ${metric}`)).toEqual([]);
    expect(new Set(ofServices.map(({ metric }) => metric)).size).toBeGreaterThan(10);
  });

  it('have the labels that they are asked by', () => {
    const missing = ofServices.flatMap(({ where, metric, labels }) =>
      Object.keys(labels)
        .filter((label) => !labelsOfTargets.includes(label) && !exposed.get(metric)?.has(label))
        .map((label) => `${where}: ${metric}{${label}}`),
    );
    expect(missing).toEqual([]);
  });

  it('are asked by reasons that there are', () => {
    const asked = selectors.flatMap(({ metric, labels: { reason, outcome } }) =>
      metric.startsWith('kube_') ? [] : [reason, outcome].flatMap((text) => text?.split('|') ?? []),
    );
    expect(asked).toEqual(expect.arrayContaining(['INTERNAL', 'OVERLOADED', 'WORKER_CRASHED']));
    const outcomes: readonly string[] = storeOutcomes;
    expect(asked.filter((reason) => !(reason in failureKinds || outcomes.includes(reason)))).toEqual([]);
  });
});

describe('manifests/monitoring', () => {
  it('waits for a queue that is half full', () => {
    const { MAX_QUEUE } = readEnvironment(processorEnvironment, environmentOf(base, 'image-processor'));
    const { expr = '' } = alerts.find(({ alert }) => alert === 'ImageQueueLong') ?? {};
    expect(Number(/> (\d+)$/.exec(expr)?.[1])).toBe(MAX_QUEUE / 2);
  });

  it('says what to do after each alert, here and in the docs', () => {
    for (const { alert, labels, annotations } of alerts) {
      expect(['page', 'ticket'], alert).toContain(labels.severity);
      expect(annotations.summary, alert).toMatch(/\w/);
      expect(annotations.description, alert).toMatch(/\w/);
    }
    const runbooks = readFileSync('docs/slos.md', 'utf8');
    const headings = [...runbooks.matchAll(/^### (Image\w+)$/gm)].map(([, heading = '']) => heading);
    expect(headings).toEqual(alerts.map(({ alert }) => alert));
    expect(alerts.map(({ annotations }) => annotations.runbook_url)).toEqual(
      headings.map((heading) => `docs/slos.md#${heading.toLowerCase()}`),
    );
    const rows = [...readFileSync('docs/kubernetes.md', 'utf8').matchAll(/^\| `(Image\w+)` *\| (\w+)/gm)];
    expect(rows.map(([, alert, severity]) => [alert, severity])).toEqual(
      alerts.map(({ alert, labels }) => [alert, labels.severity]),
    );
  });

  it('has panels that do not lie on each other, each with a query and a word about it', () => {
    const taken = new Set<string>();
    for (const { type, title, description, targets, gridPos } of dashboard.panels) {
      if (type !== 'row') {
        expect(targets.length, title).toBeGreaterThan(0);
        expect(description, title).toMatch(/\w/);
      }
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(taken.has(`${x} ${y}`), title).toBe(false);
          expect(x).toBeLessThan(24);
          taken.add(`${x} ${y}`);
        }
    }
  });

  it('scrapes the Service of the API and the pods of the processor, at ports that they have', () => {
    const [api, processor] = parseAllDocuments(read('monitoring/monitors.yaml')).map((one) => one.toJS());
    const service = serviceOf(base, 'image-api');
    expect(selects(api.spec.selector, service.metadata?.labels ?? {})).toBe(true);
    expect(service.spec?.ports?.map(({ name }) => name)).toContain(api.spec.endpoints[0].port);
    expect(selects(processor.spec.selector, podLabels(deploymentOf(base, 'image-processor')))).toBe(true);
    const ports = containerOf(base, 'image-processor').ports?.map(({ name }) => name);
    expect(ports).toContain(processor.spec.podMetricsEndpoints[0].port);
  });

  it('has jobs by the names of the pods, which is what the alerts ask for', () => {
    const monitors = parseAllDocuments(read('monitoring/monitors.yaml')).map((one) => one.toJS());
    const jobs = monitors.map(({ spec }) => spec.selector.matchLabels[spec.jobLabel]);
    const asked = selectors.flatMap(({ labels: { job } }) => job?.split('|') ?? []);
    expect(jobs).toEqual(['image-api', 'image-processor']);
    expect(jobs).toEqual(expect.arrayContaining(asked));
  });

  it('scrapes the same pods without the operator', () => {
    const [{ relabel_configs: relabel }] = parse(read('examples/prometheus.yaml')).scrape_configs;
    const kept = new RegExp(`^(?:${relabel[0].regex})$`);
    const targets = ['image-api', 'image-processor'].flatMap((name) =>
      (containerOf(base, name).ports ?? []).map((port) => `${name};${port.name}`),
    );
    expect(targets.filter((target) => kept.test(target))).toEqual([
      'image-api;http',
      'image-processor;metrics',
    ]);
  });

  it.skipIf(!canRender)('renders, with the dashboard where Grafana looks for it', async () => {
    const manifest = renderKustomization('manifests/monitoring');
    expect((await Promise.all(manifest.map(schemaProblems))).flat()).toEqual([]);
    expect(manifest.map(({ kind }) => kind).sort()).toEqual([
      'ConfigMap',
      'PodMonitor',
      'PrometheusRule',
      'PrometheusRule',
      'ServiceMonitor',
    ]);
    const [map] = manifest.filter(({ kind }) => kind === 'ConfigMap') as unknown as [
      { metadata: { labels: object }; data: Record<string, string> },
    ];
    expect(map.metadata.labels).toMatchObject({ grafana_dashboard: '1' });
    expect(JSON.parse(map.data['dashboard.json'] ?? '')).toEqual(dashboard);
  });
});

/** For each alert: series that it has to fire for, sampled every minute, and the labels that it then has. */
const fires: readonly (readonly [alert: string, series: Record<string, string>, labels: object])[] = [
  [
    'ImageRequestsFail',
    {
      'http_request_failures_total{namespace="a", route="/v1/images", reason="INTERNAL"}': '0+2x30',
      'http_requests_total{namespace="a", route="/v1/images"}': '0+100x30',
      'http_requests_total{namespace="a", route="/healthz"}': '0+10000x30',
    },
    { namespace: 'a', reason: 'INTERNAL' },
  ],
  [
    'ImageRequestsRefused',
    {
      'image_processor_requests_total{namespace="a", outcome="OVERLOADED"}': '0+2x30',
      'image_processor_requests_total{namespace="a", outcome="OK"}': '0+100x30',
    },
    { namespace: 'a' },
  ],
  [
    'ImageQueueLong',
    {
      'image_processor_images_waiting{namespace="a", pod="x"}': '10x30',
      'image_processor_images_waiting{namespace="a", pod="y"}': '8x30',
    },
    { namespace: 'a' },
  ],
  [
    'ImageRequestsSlow',
    {
      'http_request_duration_seconds_bucket{namespace="a", route="/v1/images", le="2.5"}': '0+98x30',
      'http_request_duration_seconds_bucket{namespace="a", route="/v1/images", le="5"}': '0+100x30',
      'http_request_duration_seconds_bucket{namespace="a", route="/v1/images", le="+Inf"}': '0+100x30',
    },
    { namespace: 'a' },
  ],
  [
    'ImageProcessorUnreachable',
    {
      'http_request_failures_total{namespace="a", route="/readyz", reason="PROCESSOR_UNAVAILABLE"}':
        '0+20x30',
    },
    { namespace: 'a' },
  ],
  ['ImageProcessorsGone', { 'up{job="image-processor", pod="x"}': '0x30' }, {}],
  [
    'ImageCacheFails',
    { 'image_processor_cache_errors_total{namespace="a", tier="redis"}': '0+1x30' },
    { namespace: 'a', tier: 'redis' },
  ],
  [
    'ImageStorageFails',
    {
      'image_processor_store_objects_total{namespace="a", pod="x", outcome="failed"}': '0+1x30',
      'image_processor_store_objects_total{namespace="a", pod="x", outcome="written"}': '0+100x30',
    },
    { namespace: 'a', outcome: 'failed' },
  ],
  [
    'ImageEventLoopLags',
    { 'nodejs_eventloop_lag_p99_seconds{job="image-api", namespace="a", pod="x"}': '0.2x30' },
    { job: 'image-api', namespace: 'a', pod: 'x' },
  ],
  [
    'ImageWorkersCrash',
    { 'image_processor_requests_total{namespace="a", outcome="WORKER_CRASHED"}': '0+1x30' },
    { namespace: 'a' },
  ],
  [
    'ImagePodOutOfMemory',
    {
      'kube_pod_container_status_last_terminated_reason{reason="OOMKilled", container="processor", namespace="image-service", pod="x"}':
        '_x19 1x10',
      'kube_pod_container_status_restarts_total{container="processor", namespace="image-service", pod="x"}':
        '0x19 1x10',
    },
    { namespace: 'image-service', pod: 'x', container: 'processor' },
  ],
  [
    'ImagePodsRestart',
    {
      'kube_pod_container_status_restarts_total{container="api", namespace="image-service", pod="x"}':
        '0+1x30',
    },
    { namespace: 'image-service', container: 'api' },
  ],
  [
    'ImageAutoscalerAtMaximum',
    {
      'kube_horizontalpodautoscaler_status_desired_replicas{namespace="image-service", horizontalpodautoscaler="image-api"}':
        '10x30',
      'kube_horizontalpodautoscaler_spec_max_replicas{namespace="image-service", horizontalpodautoscaler="image-api"}':
        '10x30',
    },
    { namespace: 'image-service', horizontalpodautoscaler: 'image-api' },
  ],
  [
    'ImageErrorBudgetBurnsFast',
    {
      'http_request_failures_total{namespace="image-service", route="/v1/images", reason="OVERLOADED"}':
        '0+20x30',
      'http_requests_total{namespace="image-service", route="/v1/images"}': '0+1000x30',
    },
    { namespace: 'image-service', slo: 'availability' },
  ],
  [
    'ImageErrorBudgetBurnsSlowly',
    {
      'http_request_failures_total{namespace="image-service", route="/v1/images", reason="OVERLOADED"}':
        '0+4x30',
      'http_requests_total{namespace="image-service", route="/v1/images"}': '0+1000x30',
    },
    { namespace: 'image-service', slo: 'availability' },
  ],
];

/** Series of a service that does well, for which no alert may fire. */
const well: Readonly<Record<string, string>> = {
  'http_request_failures_total{namespace="a", route="/v1/images", reason="INTERNAL"}': '0+2x30',
  'http_request_failures_total{namespace="a", route="/v1/images", reason="FORMAT_UNSUPPORTED"}': '0+900x30',
  'http_requests_total{namespace="a", route="/v1/images"}': '0+1000x30',
  'image_processor_requests_total{namespace="a", outcome="OVERLOADED"}': '0+2x30',
  'image_processor_requests_total{namespace="a", outcome="OK"}': '0+1000x30',
  'image_processor_images_waiting{namespace="a", pod="x"}': '0 16 4 0 0 12 0x24',
  'http_request_duration_seconds_bucket{namespace="a", route="/v1/images", le="2.5"}': '0+1000x30',
  'http_request_duration_seconds_bucket{namespace="a", route="/v1/images", le="+Inf"}': '0+1000x30',
  'up{job="image-processor", pod="x"}': '1x30',
  'up{job="image-processor", pod="y"}': '0x30',
  'image_processor_cache_errors_total{namespace="a", tier="redis"}': '7x30',
  'image_processor_store_objects_total{namespace="a", pod="x", outcome="failed"}': '7x30',
  'image_processor_store_objects_total{namespace="a", pod="x", outcome="written"}': '0+100x30',
  'nodejs_eventloop_lag_p99_seconds{job="image-api", namespace="a", pod="x"}': '0.02x30',
  'http_request_failures_total{namespace="image-service", route="/v1/images", reason="INTERNAL"}': '0+1x30',
  'http_request_failures_total{namespace="image-service", route="/v1/images", reason="IMAGE_CORRUPT"}':
    '0+900x30',
  'http_requests_total{namespace="image-service", route="/v1/images"}': '0+2000x30',
  'kube_pod_container_status_last_terminated_reason{reason="OOMKilled", container="api", namespace="image-service", pod="x"}':
    '1x30',
  'kube_pod_container_status_restarts_total{container="api", namespace="image-service", pod="x"}': '3x30',
  'kube_horizontalpodautoscaler_status_desired_replicas{namespace="image-service", horizontalpodautoscaler="image-api"}':
    '9x30',
  'kube_horizontalpodautoscaler_spec_max_replicas{namespace="image-service", horizontalpodautoscaler="image-api"}':
    '10x30',
};

const promtool = findProgram('promtool');

describe.skipIf(promtool === undefined)('the alerts, run by promtool', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'alerts-'));
    await writeFile(join(folder, 'alerts.yaml'), JSON.stringify(rules));
  });
  afterAll(() => rm(folder, { recursive: true }));

  function run(...args: string[]) {
    const { status, stdout, stderr } = spawnSync(promtool ?? '', args, { encoding: 'utf8', cwd: folder });
    return { status, text: stdout + stderr };
  }

  /** Lets promtool expect that none of the alerts fires after half an hour of the series. */
  async function runOver(series: Readonly<Record<string, string>>, silent: readonly string[]) {
    const test = {
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: silent.map((alertname) => ({ eval_time: '28m', alertname, exp_alerts: [] })),
    };
    const file = { rule_files: ['alerts.yaml'], evaluation_interval: '1m', tests: [test] };
    await writeFile(join(folder, 'test.yaml'), JSON.stringify(file));
    return run('test', 'rules', 'test.yaml');
  }

  it('are well formed', () => {
    expect(run('check', 'rules', 'alerts.yaml')).toMatchObject({ status: 0 });
  });

  it('are as well formed as all other queries', async () => {
    const filled = queries.map(([where, query]) => ({
      record: where.replaceAll(/\W+/g, '_'),
      expr: query.replaceAll('$__rate_interval', '5m').replaceAll('$namespace', 'a'),
    }));
    await writeFile(
      join(folder, 'queries.yaml'),
      JSON.stringify({ groups: [{ name: 'queries', rules: filled }] }),
    );
    expect(run('check', 'rules', 'queries.yaml')).toMatchObject({ status: 0 });
  });

  it('have a case each', () => {
    expect(fires.map(([alert]) => alert)).toEqual(alerts.map(({ alert }) => alert));
  });

  it.each(fires)('%s fires', async (alert, series, labels) => {
    // Nothing is expected, so that promtool says what there is instead.
    const { status, text } = await runOver(series, [alert]);
    expect(status, text).toBe(1);
    for (const [name, value] of Object.entries({ alertname: alert, ...labels }))
      expect(text.slice(text.indexOf('got:'))).toContain(`${name}="${value}"`);
  });

  it('are silent while all is well', async () => {
    const all = alerts.map(({ alert }) => alert);
    expect(await runOver(well, all)).toMatchObject({ status: 0 });
  });
});
