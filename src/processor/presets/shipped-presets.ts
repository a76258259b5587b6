import { isTypeComputed } from './parse-preprocessor-config.ts';
import type { Preset } from './preset.ts';
import table from './shipped-presets.json' with { type: 'json' };
import { transformersPreset } from './transformers-preset.ts';

/**
 * Presets of well-known models of transformers, by their ids on the hub. The name without the organization, which was the
 * preset's name at first, is an alias. Each entry of the table names the public file that its values come from, and the
 * file's licence. Entries whose type is not computed yet are left out. `processor` has the keys of the model's processor.
 */
export const shippedPresets: readonly Preset[] = table
  .filter(({ config }) => isTypeComputed(config))
  .flatMap(({ models, config, processor }) =>
    models.map((model) =>
      transformersPreset(model, [model.slice(model.indexOf('/') + 1)], () =>
        JSON.stringify(processor ? { ...processor, image_processor: config } : config),
      ),
    ),
  );
