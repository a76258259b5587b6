import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import type { Plan } from '../image/plan.ts';
import { type ConfiguredPreset, parsePreprocessorConfig } from '../presets/parse-preprocessor-config.ts';
import type { PresetSettings } from '../presets/preset.ts';
import type { Presets } from '../presets/presets.ts';
import { checkCombinations, checkFilter } from './check-combinations.ts';
import { planOfOptions } from './plan-of-options.ts';
import { planOfPreset } from './plan-of-preset.ts';
import { checkSettings, presetSettings } from './preset-settings.ts';

/**
 * Checks a request's options, fills in the defaults and returns them as plain values: equal plans give equal pixels.
 * It does not look at the image.
 *
 * @param maxOutputPixels - limit of the output's width × height
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT, PRESET_UNKNOWN, PRESET_INVALID, PRESET_UNSUPPORTED,
 *   NUMERICS_UNSUPPORTED
 */
export function planOf(request: ProcessRequest, maxOutputPixels: number, presets: Presets): Plan {
  checkCombinations(request);
  const settings = presetSettings(request.presetSettings);
  const preset = presetOf(request, settings, presets);
  const plan =
    preset === undefined
      ? planOfOptions(request, maxOutputPixels)
      : planOfPreset(request, preset, settings, maxOutputPixels);
  checkFilter(plan);
  return plan;
}

function presetOf(
  { preset, preprocessorConfig }: ProcessRequest,
  settings: PresetSettings,
  presets: Presets,
): ConfiguredPreset | undefined {
  if (preset === '' && preprocessorConfig === '') return undefined;
  if (preset === '') {
    checkSettings(settings, []);
    return parsePreprocessorConfig(preprocessorConfig);
  }
  const found = presets.find(preset);
  checkSettings(settings, found.settings ?? []);
  return found;
}
