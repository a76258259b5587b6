import { describe, expect, it } from 'vitest';
import {
  isTypeComputed,
  parsePreprocessorConfig,
} from '../../../src/processor/presets/parse-preprocessor-config.ts';
import table from '../../../src/processor/presets/shipped-presets.json' with { type: 'json' };
import { shippedPresets } from '../../../src/processor/presets/shipped-presets.ts';

/** Types of configs in the table that may be missing. A type leaves this list when it is computed. */
const awaitedTypes: readonly string[] = [];

describe('the shipped configs of transformers', () => {
  it('have computed types, except those that are awaited', () => {
    const missing = table.filter(({ config }) => !isTypeComputed(config));
    expect(awaitedTypes).toEqual(
      expect.arrayContaining(missing.map(({ config }) => config.image_processor_type)),
    );
  });

  it('are plans in each of their libraries', () => {
    for (const { models, config } of table.filter((entry) => isTypeComputed(entry.config))) {
      const { libraries, plan } = parsePreprocessorConfig(JSON.stringify(config));
      for (const library of libraries) expect(plan(library, {}).tensor.name, models[0]).toBe('pixel_values');
    }
  });

  it('name the repository, the file and the licence that their values come from', () => {
    for (const { models, source } of table) {
      expect(source.repository, models[0]).toMatch(/^[\w.-]+\/[\w.-]+$/);
      expect(source.path, models[0]).toMatch(/\.(py|json)$/);
      expect(source.licence, models[0]).toMatch(/^(Apache-2\.0|MIT)/);
    }
  });

  it('are for more than a hundred models, each with its organization', () => {
    const models = table.flatMap((entry) => entry.models);
    expect(new Set(models).size).toBe(models.length);
    expect(models.length).toBeGreaterThan(100);
    expect(models.every((model) => /^[\w.-]+\/[\w.-]+$/.test(model))).toBe(true);
    expect(shippedPresets.length).toBeGreaterThan(100);
  });
});
