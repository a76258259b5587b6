import type { Preset } from './preset.ts';
import table from './shipped-presets.json' with { type: 'json' };
import { transformersPreset } from './transformers-preset.ts';

/**
 * Presets of well-known models of transformers, by their ids on the hub. The name without the organization, which was the
 * preset's name at first, is an alias.
 */
export const shippedPresets: readonly Preset[] = table.flatMap(({ models, config }) =>
  models.map((model) =>
    transformersPreset(model, [model.slice(model.indexOf('/') + 1)], () => JSON.stringify(config)),
  ),
);
