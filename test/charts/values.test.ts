import { readdirSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { apiEnvironment } from '../../src/api/config.ts';
import { readEnvironment } from '../../src/environment.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { chart, objectsOf, renderChart, runHelm } from '../support/chart.ts';
import { schemaProblems } from '../support/kubernetes-schema.ts';
import { containerOf, deploymentOf, environmentOf, serviceOf } from '../support/manifest-rules.ts';
import { helm } from '../support/tools.ts';

const set = (...values: string[]) => values.flatMap((value) => ['--set-json', value]);
const examples = readdirSync(`${chart}/examples`).map((name) => [name, `${chart}/examples/${name}`] as const);

describe.skipIf(helm === undefined)('the values of the chart', () => {
  it('pass helm lint --strict', () => {
    expect(runHelm('lint', '--strict', chart)).toMatchObject({ status: 0 });
  });

  it.each(examples)('of %s pass helm lint --strict', (_name, path) => {
    expect(runHelm('lint', '--strict', chart, '--values', path)).toMatchObject({ status: 0 });
  });

  it.each<[name: string, values: readonly string[], message: RegExp]>([
    ['an unknown value', ['api.replica=2'], /'\/api'.*'replica' not allowed/s],
    ['a misspelt variable', ['api.env.IMAGE_WITDH=640'], /'\/api\/env'.*'IMAGE_WITDH' not allowed/s],
    ['a variable of the other service', ['api.env.WORKERS=2'], /'\/api\/env'.*'WORKERS' not allowed/s],
    ['a port, which manifests rely on', ['api.env.PORT=80'], /'\/api\/env'.*'PORT' not allowed/s],
    ['a value of another type', ['processor.replicas="two"'], /'\/processor\/replicas'.*got string/s],
    ['a variable that is a list', ['processor.env.SOURCE_FORMATS=["jpeg"]'], /SOURCE_FORMATS'.*got array/s],
    ['a digest without its algorithm', ['api.image.digest="abc"'], /\/api\/image\/digest/],
    ['an alert that there is not', ['prometheusRule.disabledAlerts=["Slow"]'], /disabledAlerts\/0/],
    [
      'replicas beside an autoscaler',
      ['api.replicas=2', 'api.autoscaling.enabled=true'],
      /api\.replicas is 2 and api\.autoscaling\.enabled is true; allowed: one of them/,
    ],
    [
      'a minimum that is the maximum',
      ['processor.autoscaling={"enabled":true,"min":4,"max":4}'],
      /processor\.autoscaling\.min is 4; allowed: less than/,
    ],
    [
      'an autoscaler without a measure',
      ['processor.autoscaling={"enabled":true,"cpu":null}'],
      /processor\.autoscaling measures nothing/,
    ],
    ['KEDA without an autoscaler', ['keda.enabled=true'], /keda\.enabled is true and scales nothing/],
    [
      'KEDA without Prometheus',
      ['keda={"enabled":true,"prometheus":""}', 'api.autoscaling={"enabled":true,"inFlight":10}'],
      /keda\.prometheus is empty/,
    ],
    [
      'a password in a URL',
      ['redis.url="redis://:secret@redis:6379"'],
      /redis\.url contains a password, .*redis\.existingSecret/,
    ],
    [
      'two Redis',
      ['redis={"enabled":true,"url":"redis://elsewhere:6379"}'],
      /redis\.url is set; allowed: only without redis\.enabled/,
    ],
    [
      'policies that close the way to Redis',
      ['redis.url="redis://elsewhere:6379"', 'networkPolicy.enabled=true'],
      /networkPolicy\.redis\.cidrs is empty/,
    ],
    ['an Ingress without hosts', ['ingress.enabled=true'], /ingress\.hosts is empty/],
    ['a route without a Gateway', ['httpRoute.enabled=true'], /httpRoute\.parentRefs is empty/],
    ['a policy that only denies', ['networkPolicy.defaultDeny=true'], /networkPolicy\.enabled is false/],
    [
      'a grace period that cuts requests',
      ['api.terminationGracePeriodSeconds=40'],
      /api\.terminationGracePeriodSeconds is 40; allowed: more than 40/,
    ],
    [
      'uploads that the processor refuses',
      ['api.env.MAX_UPLOAD_BYTES=67108864'],
      /MAX_UPLOAD_BYTES is 67108864; allowed: at most processor\.env\.MAX_SOURCE_BYTES, which is 33554432/,
    ],
    [
      'responses that the processor refuses',
      ['processor.env.MAX_ANSWER_BYTES=1048576'],
      /api\.env\.MAX_ANSWER_BYTES is 134217728; allowed: at most/,
    ],
    [
      'requests that are longer than a shutdown',
      ['api.env.REQUEST_TIMEOUT_MS=60000'],
      /SHUTDOWN_TIMEOUT_MS is 35000; allowed: more than api\.env\.REQUEST_TIMEOUT_MS, which is 60000/,
    ],
  ])('refuse %s', (_name, values, message) => {
    const { status, stderr } = runHelm('template', 'x', chart, ...set(...values));
    expect(status).not.toBe(0);
    expect(stderr).toMatch(message);
  });

  it('let a parent chart give what Helm adds to dependencies', () => {
    expect(renderChart(...set('global={"registry":"a"}', 'enabled=true')).length).toBeGreaterThan(0);
  });
});

describe.skipIf(helm === undefined)('a release of the chart', () => {
  const everything = [
    ...set(
      'imagePullSecrets=[{"name":"registry"}]',
      'ipFamilyPolicy="PreferDualStack"',
      'ipFamilies=["IPv6","IPv4"]',
      'commonLabels={"team":"vision"}',
      ...['api', 'processor'].flatMap((service) => [
        `${service}.extraEnv=[{"name":"TZ","value":"UTC"}]`,
        `${service}.extraEnvFrom=[{"secretRef":{"name":"more"}}]`,
        `${service}.nodeSelector={"pool":"cpu"}`,
        `${service}.tolerations=[{"key":"pool","operator":"Exists"}]`,
        `${service}.affinity={"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[{"key":"pool","operator":"Exists"}]}]}}}`,
        `${service}.priorityClassName="high"`,
        `${service}.annotations={"a":"1"}`,
        `${service}.podAnnotations={"b":"2"}`,
        `${service}.podLabels={"c":"3"}`,
        `${service}.service.annotations={"d":"4"}`,
        `${service}.serviceAccount.annotations={"role":"e"}`,
        `${service}.extraVolumes=[{"name":"presets","configMap":{"name":"presets"}}]`,
        `${service}.extraVolumeMounts=[{"name":"presets","mountPath":"/presets"}]`,
      ]),
      'credentials.existingSecret="keys"',
      'serviceMonitor={"enabled":true,"labels":{"release":"prometheus"},"interval":"30s"}',
      'podMonitor={"enabled":true,"labels":{"release":"prometheus"}}',
      'prometheusRule={"enabled":true,"labels":{"release":"prometheus"}}',
      'dashboard={"enabled":true,"annotations":{"grafana_folder":"Images"}}',
      'httpRoute={"enabled":true,"parentRefs":[{"name":"public"}]}',
      'networkPolicy.extraExcept=["203.1.0.0/16","2600:1f00::/24"]',
      'networkPolicy.extraIngress=[{"podSelector":{}}]',
      'networkPolicy.extraEgress.api=[{"ports":[{"port":4317}]}]',
      'networkPolicy.extraEgress.processor=[{"ports":[{"port":4318}]}]',
    ),
    '--values',
    `${chart}/examples/production.yaml`,
  ];

  it('with every value has objects of the shapes that Kubernetes wants', async () => {
    const rendered = renderChart(...everything);
    expect((await Promise.all(rendered.map(schemaProblems))).flat()).toEqual([]);
    const pod = deploymentOf(rendered, 'image-processor').spec?.template;
    expect(pod?.metadata).toMatchObject({ annotations: { b: '2' }, labels: { c: '3' } });
    expect(pod?.spec).toMatchObject({
      imagePullSecrets: [{ name: 'registry' }],
      nodeSelector: { pool: 'cpu' },
      priorityClassName: 'high',
      serviceAccountName: 'image-processor',
    });
    expect(containerOf(rendered, 'image-processor').env?.map(({ name }) => name)).toEqual([
      'REDIS_URL',
      'TZ',
    ]);
    expect(serviceOf(rendered, 'image-processor').spec).toMatchObject({
      ipFamilyPolicy: 'PreferDualStack',
      ipFamilies: ['IPv6', 'IPv4'],
    });
    const policy = JSON.stringify(rendered.filter(({ kind }) => kind === 'NetworkPolicy'));
    for (const text of [
      '"203.1.0.0/16"',
      '"2600:1f00::/24"',
      '"port":4317',
      '"port":4318',
      '{"podSelector":{}}',
    ])
      expect(policy).toContain(text);
    const monitor = rendered.find(({ kind }) => kind === 'ServiceMonitor');
    expect(monitor).toMatchObject({
      metadata: { labels: { release: 'prometheus' } },
      spec: { endpoints: [{ interval: '30s' }] },
    });
  });

  it('with KEDA has objects of the shapes that KEDA wants', async () => {
    const rendered = renderChart(
      '--values',
      `${chart}/examples/production.yaml`,
      ...set('keda.enabled=true'),
    );
    const scaled = rendered.filter(({ kind }) => kind === 'ScaledObject');
    expect(scaled).toHaveLength(2);
    expect((await Promise.all(scaled.map(schemaProblems))).flat()).toEqual([]);
  });

  it('passes numbers, fractions and flags to the services as they are written', () => {
    const rendered = renderChart(
      ...set(
        'api.env={"MAX_HELD_BYTES":1099511627776,"OTEL_TRACES_SAMPLER_ARG":0.01,"IMAGE_SCALE":false,"IMAGE_QUALITY":"85","IMAGE_FIT":null}',
        'host="0.0.0.0"',
      ),
    );
    const environment = environmentOf(rendered, 'image-api');
    expect(environment).toMatchObject({
      MAX_HELD_BYTES: '1099511627776',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
      IMAGE_SCALE: 'false',
      IMAGE_QUALITY: '85',
      HOST: '0.0.0.0',
    });
    expect(environment).not.toHaveProperty('IMAGE_FIT');
    expect(() => readEnvironment(apiEnvironment, environment)).not.toThrow();
    const ofProcessor = environmentOf(rendered, 'image-processor');
    expect(() => readEnvironment(processorEnvironment, ofProcessor)).not.toThrow();
    expect(ofProcessor.HOST).toBe('0.0.0.0');
  });

  it('restarts the pods whose environment changed, and no others', () => {
    const checksums = (...values: string[]) =>
      ['image-api', 'image-processor'].map(
        (name) => deploymentOf(renderChart(...set(...values)), name).spec?.template.metadata?.annotations,
      );
    const [api, processor] = checksums();
    const [changed, same] = checksums('api.env.IMAGE_WIDTH=640');
    expect(changed).not.toEqual(api);
    expect(same).toEqual(processor);
  });

  it('gives a pod the time that its drain takes', () => {
    const graceOf = (...values: string[]) =>
      deploymentOf(renderChart(...set(...values)), 'image-api').spec?.template.spec
        ?.terminationGracePeriodSeconds;
    expect(graceOf()).toBe(45);
    expect(graceOf('api.preStopSeconds=10', 'api.env.SHUTDOWN_DELAY_MS=1500')).toBe(52);
    expect(graceOf('api.env={"SHUTDOWN_DELAY_MS":null,"SHUTDOWN_TIMEOUT_MS":40000}')).toBe(45);
    expect(graceOf('api.terminationGracePeriodSeconds=90')).toBe(90);
  });

  it.each([
    ['image.registry="ghcr.io/acme"', 'ghcr.io/acme/image-api:'],
    ['image={"registry":"ghcr.io/acme","tag":"1.2.3"}', 'ghcr.io/acme/image-api:1.2.3'],
    ['api.image={"registry":"mirror:5000","repository":"a/b","tag":"9"}', 'mirror:5000/a/b:9'],
    [`api.image.digest="sha256:${'a'.repeat(64)}"`, `image-api@sha256:${'a'.repeat(64)}`],
  ])('of %s has the image %s', (value, image) => {
    expect(containerOf(renderChart(...set(value)), 'image-api').image).toContain(image);
  });

  it('with a prefix shares no name and no selected pod with another one of the namespace', () => {
    const first = renderChart('--values', `${chart}/examples/production.yaml`);
    const { stdout } = runHelm(
      ...['template', 'second', chart, '--no-hooks', '--values', `${chart}/examples/production.yaml`],
      ...set('namePrefix="second-"', 'networkPolicy.defaultDeny=false'),
    );
    const second = objectsOf(stdout);
    const namesOf = (objects: typeof first) =>
      objects.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(namesOf(second).filter((name) => namesOf(first).includes(name))).toEqual([]);
    expect(environmentOf(second, 'second-image-api').PROCESSOR_URL).toBe(
      'http://second-image-processor:50051',
    );
    const selectorOf = (objects: typeof first, name: string) => serviceOf(objects, name).spec?.selector;
    expect(selectorOf(second, 'second-image-api')).not.toEqual(selectorOf(first, 'image-api'));
  });

  it('asks Prometheus for its own namespace, and leaves out disabled alerts', () => {
    const { stdout } = runHelm(
      ...['template', 'x', chart, '--namespace', 'vision', '--no-hooks'],
      ...set('prometheusRule={"enabled":true,"disabledAlerts":["ImageRequestsSlow"]}'),
      ...set('keda.enabled=true', 'processor.autoscaling={"enabled":true,"inFlight":3}'),
    );
    expect(stdout).toContain('namespace="vision"');
    expect(stdout).not.toContain('namespace="image-service"');
    expect(stdout).not.toContain('ImageRequestsSlow');
    expect(stdout).toContain('ImageRequestsFail');
  });

  it('warns of more memory than the limit, in its notes', () => {
    const notesOf = (...values: string[]) =>
      runHelm('install', 'x', chart, '--dry-run=client', ...set(...values)).stdout;
    expect(notesOf('image.registry="a"')).not.toContain('lets a pod take');
    expect(notesOf('processor.env.WORKERS=8')).toContain(
      'processor.env lets a pod take 3831Mi, and processor.resources.limits.memory is 2560Mi',
    );
    expect(notesOf('api.env.MAX_HELD_BYTES=2000000000')).toContain('limits.memory is 1Gi');
  });
});

describe.skipIf(helm === undefined)('the package of the chart', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chart-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('has the same objects as the checkout, monitoring included', async () => {
    const values = join(folder, 'values.json');
    const kinds = ['serviceMonitor', 'podMonitor', 'prometheusRule', 'dashboard'];
    await writeFile(
      values,
      JSON.stringify(Object.fromEntries(kinds.map((kind) => [kind, { enabled: true }]))),
    );
    const { status, stdout, stderr } = runHelm('package', chart, '--destination', folder);
    expect(status, stderr).toBe(0);
    const archive = stdout.trim().split(' ').at(-1) ?? '';
    const render = (from: string) => runHelm('template', 'x', from, '--values', values).stdout;
    expect(render(archive)).toBe(render(chart));
  });
});
