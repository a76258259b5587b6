import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  chartValues,
  inFlight,
  processorEnvironmentFor,
  processorMemory,
} from '../../docs/generate/capacity.ts';
import { readKustomization } from '../support/kustomization.ts';
import { containerOf, environmentOf, quantity } from '../support/manifest-rules.ts';

describe(inFlight, () => {
  // M/M/1: ρ / (1 − ρ). M/M/2: 2ρ / (1 − ρ²).
  it.each([
    [1, 0.7, 2.333],
    [1, 0.5, 1],
    [2, 0.7, 2.745],
    [2, 0.5, 1.333],
  ])('of %d workers at a load of %d is %d', (workers, load, expected) => {
    expect(inFlight(workers, load)).toBeCloseTo(expected, 3);
  });
});

describe('the values of docs/capacity.md', () => {
  it('are those of manifests/base for two workers', () => {
    const base = readKustomization('manifests/base');
    const values = Object.entries(processorEnvironmentFor(2)).map(([name, value]) => [name, String(value)]);
    expect(environmentOf(base, 'image-processor')).toMatchObject(Object.fromEntries(values));
    const { memory = '' } = containerOf(base, 'image-processor').resources?.limits ?? {};
    expect(processorMemory(2) * 2 ** 20).toBe(quantity(memory));
  });

  it('leave each node half a core, and fit in 2 GiB per core, or in 4 GiB', () => {
    const sizes = [...chartValues().matchAll(/\*\*(\d+) vCPU\*\*\n\n```yaml\n(.*?)```/gs)];
    expect(sizes.map(([, cores]) => Number(cores))).toEqual([2, 4, 8, 16]);
    for (const [, cores, text = ''] of sizes) {
      const values = Object.values(
        parse(text) as Record<
          string,
          { replicas: number; resources: { requests: { cpu: string; memory: string } } }
        >,
      );
      const requested = (of: 'cpu' | 'memory') =>
        values.reduce((sum, { replicas, resources }) => sum + replicas * quantity(resources.requests[of]), 0);
      expect(requested('cpu')).toBeCloseTo(Number(cores) - 0.5, 6);
      expect(requested('memory')).toBeLessThan(Math.max(4, 2 * Number(cores)) * 0.9 * 2 ** 30);
    }
  });
});
