import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { createHttpMetrics } from '../../src/api/metrics.ts';
import { failureKinds } from '../../src/failures.ts';
import { findProgram } from '../support/tools.ts';

interface Recording {
  readonly record: string;
  readonly expr: string;
  readonly labels: { readonly slo: string };
}

const { groups } = parse(readFileSync('manifests/monitoring/slos.yaml', 'utf8')).spec as {
  groups: [{ rules: Recording[] }, object];
};
const recordings = groups[0].rules;
const slos = [...new Set(recordings.map(({ labels }) => labels.slo))];
const errorsOf = (slo: string) =>
  recordings.find(({ record, labels }) => record.endsWith('errors:rate5m') && labels.slo === slo)?.expr ?? '';
const allowedOf = (slo: string) =>
  recordings.find(({ record, labels }) => record.endsWith('allowed:rate5m') && labels.slo === slo)?.expr ??
  '';

describe('docs/slos.md', () => {
  const page = readFileSync('docs/slos.md', 'utf8');

  it('has the objective of each recording rule, and no other', () => {
    const shown = [...page.matchAll(/^\| `([\w-]+)` \| ([\d.]+) % /gm)].map(([, slo, percent]) => [
      slo,
      (1 - Number(percent) / 100).toFixed(6),
    ]);
    const known = slos.map((slo) => [slo, Number(/\* ([\d.]+)$/.exec(allowedOf(slo))?.[1]).toFixed(6)]);
    expect(shown).toEqual(known);
  });

  it('counts as a fault of the service the 5xx responses that are not an origin’s', () => {
    const counted = /reason=~"([A-Z_|]+)"/.exec(errorsOf('availability'))?.[1]?.split('|') ?? [];
    const ours = Object.entries(failureKinds)
      .filter(([reason, { status }]) => status >= 500 && !reason.startsWith('ORIGIN_'))
      .map(([reason]) => reason);
    expect(counted.toSorted()).toEqual(ours.toSorted());
  });

  it('measures latencies at bounds of the histogram', async () => {
    const registry = new Registry();
    createHttpMetrics(registry).duration.observe({ route: '/', method: 'GET' }, 1);
    const bounds = [...(await registry.metrics()).matchAll(/_bucket\{le="([\d.]+)"/g)].map(([, le]) => le);
    for (const slo of slos.filter((name) => name.startsWith('latency-'))) {
      const asked = /le=~?"([\d.]+)/.exec(errorsOf(slo))?.[1];
      expect(bounds, slo).toContain(asked);
    }
  });
});

const promtool = findProgram('promtool');

/** Series of an hour and a half with so many misses in each 10,000 requests a minute. */
function seriesOf(slo: string, missed: number): Record<string, string> {
  const labels = 'namespace="image-service"';
  const grows = (step: number) => `0+${step}x90`;
  const latency = (method: string, route: string, le: string) => ({
    [`http_request_duration_seconds_count{${labels}, route="${route}", method="${method}"}`]: grows(10_000),
    [`http_request_duration_seconds_bucket{${labels}, route="${route}", method="${method}", le="${le}"}`]:
      grows(10_000 - missed),
  });
  switch (slo) {
    case 'availability':
      return {
        [`http_requests_total{${labels}, route="/v1/images"}`]: grows(10_000),
        [`http_request_failures_total{${labels}, route="/v1/images", reason="WORKER_CRASHED"}`]:
          grows(missed),
      };
    case 'latency-upload':
      return latency('POST', '/v1/images', '2.5');
    case 'latency-url':
      // As Prometheus 3 writes it.
      return latency('GET', '/v1/images', '5.0');
    case 'latency-describe':
      return latency('POST', '/v1/describe', '0.5');
    default:
      return {
        [`image_processor_requests_total{${labels}, outcome="OK"}`]: grows(10_000 - missed),
        [`image_processor_requests_total{${labels}, outcome="INTERNAL"}`]: grows(missed),
      };
  }
}

describe.skipIf(promtool === undefined)('the error budgets, run by promtool', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'slos-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  /** The alerts that fire after so many minutes, by what promtool reports of an expectation that none does. */
  async function firing(series: Record<string, string>, minutes = 80, interval = '1m') {
    const names = ['ImageErrorBudgetBurnsFast', 'ImageErrorBudgetBurnsSlowly'];
    const test = {
      interval: '1m',
      input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
      alert_rule_test: names.map((alertname) => ({ eval_time: `${minutes}m`, alertname, exp_alerts: [] })),
    };
    const rules = { groups: groups.map((group) => ({ ...group, interval })) };
    await writeFile(join(folder, 'slos.yaml'), JSON.stringify(rules));
    const file = { rule_files: ['slos.yaml'], evaluation_interval: interval, tests: [test] };
    await writeFile(join(folder, 'test.yaml'), JSON.stringify(file));
    const { stdout, stderr } = spawnSync(promtool ?? '', ['test', 'rules', 'test.yaml'], {
      encoding: 'utf8',
      cwd: folder,
    });
    const text = stdout + stderr;
    return names.flatMap((name) => {
      const slo = new RegExp(`got:\\s*\\[[^\\]]*alertname="${name}"[^\\]]*slo="([\\w-]+)"`).exec(text)?.[1];
      return slo === undefined ? [] : [`${name} ${slo}`];
    });
  }

  it.each(slos)('of %s burn fast, slowly and not at all', async (slo) => {
    const allowed = Number(/\* ([\d.]+)$/.exec(allowedOf(slo))?.[1]) * 10_000;
    const fast = `ImageErrorBudgetBurnsFast ${slo}`;
    const slowly = `ImageErrorBudgetBurnsSlowly ${slo}`;
    expect(await firing(seriesOf(slo, 16 * allowed))).toEqual([fast, slowly]);
    expect(await firing(seriesOf(slo, 4 * allowed))).toEqual([slowly]);
    expect(await firing(seriesOf(slo, 0.5 * allowed))).toEqual([]);
  });

  const hour = 60;
  it.each<[what: string, burns: readonly (readonly [rate: number, minutes: number])[], fires: string[]]>([
    [
      'an hour at 17 times',
      [
        [0, 9 * hour],
        [17, hour + 15],
      ],
      ['Fast', 'Slowly'],
    ],
    [
      'an hour at 13 times',
      [
        [0, 9 * hour],
        [13, hour + 15],
      ],
      ['Slowly'],
    ],
    [
      'an hour at 20 times, over for ten minutes',
      [
        [0, 9 * hour],
        [20, hour],
        [0, 15],
      ],
      ['Slowly'],
    ],
    [
      'six hours at 7 times',
      [
        [0, 12 * hour],
        [7, 6 * hour + 15],
      ],
      ['Fast', 'Slowly'],
    ],
    [
      'six hours at 5 times',
      [
        [0, 12 * hour],
        [5, 6 * hour + 15],
      ],
      ['Slowly'],
    ],
    [
      'six hours at 7 times, over for half an hour',
      [
        [0, 12 * hour],
        [7, 6 * hour],
        [0, 45],
      ],
      ['Slowly'],
    ],
    [
      'a day at 4 times',
      [
        [0, 48 * hour],
        [4, 24 * hour],
      ],
      ['Slowly'],
    ],
    ['three days at 1.2 times', [[1.2, 72 * hour]], ['Slowly']],
    ['three days at 0.9 times', [[0.9, 72 * hour]], []],
    [
      'three days at 1.2 times, over for six hours',
      [
        [1.2, 72 * hour],
        [0, 6 * hour + 30],
      ],
      [],
    ],
  ])('of %s', async (_what, burns, fires) => {
    const labels = 'namespace="image-service", route="/v1/images"';
    const minutes = burns.reduce((sum, [, length]) => sum + length, 0);
    let failed = 0;
    const failures = burns.map(([rate, length]) => {
      const [start, step] = [failed, 10 * rate];
      failed += step * length;
      return `${start + step}+${step}x${length - 1}`;
    });
    const series = {
      [`http_requests_total{${labels}}`]: `10000+10000x${minutes - 1}`,
      [`http_request_failures_total{${labels}, reason="OVERLOADED"}`]: failures.join(' '),
    };
    const names = fires.map((name) => `ImageErrorBudgetBurns${name} availability`);
    // Sums over days for each minute take promtool minutes.
    const step = minutes > 24 * hour ? 15 : 5;
    expect(await firing(series, minutes - step, `${step}m`)).toEqual(names);
  });

  it('wake nobody for a single request of a quiet night', async () => {
    const labels = 'namespace="image-service", route="/v1/images"';
    expect(
      await firing({
        [`http_requests_total{${labels}}`]: '0x70 1+1x20',
        [`http_request_failures_total{${labels}, reason="INTERNAL"}`]: '0x70 1x20',
      }),
    ).toEqual(['ImageErrorBudgetBurnsSlowly availability']);
  });
});
