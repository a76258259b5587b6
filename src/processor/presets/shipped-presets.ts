import { parsePreprocessorConfig } from './parse-preprocessor-config.ts';
import type { PresetPlan } from './preset-plan.ts';
import table from './shipped-presets.json' with { type: 'json' };

/**
 * The contents of the preprocessor_config.json of well-known models, by the model's name on Hugging Face without its
 * organization: `clip-vit-base-patch32`.
 */
export const shippedPresets: ReadonlyMap<string, PresetPlan> = new Map(
  table.flatMap(({ models, config }) => {
    const plan = parsePreprocessorConfig(JSON.stringify(config));
    return models.map((model) => [model.slice(model.indexOf('/') + 1), plan] as const);
  }),
);
