import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import type { Plan } from '../image/plan.ts';
import { parsePreprocessorConfig } from '../presets/parse-preprocessor-config.ts';
import type { PresetPlan } from '../presets/preset-plan.ts';
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
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT, PRESET_UNKNOWN, PRESET_INVALID, PRESET_UNSUPPORTED
 */
export function planOf(request: ProcessRequest, maxOutputPixels: number, presets: Presets): Plan {
  checkCombinations(request);
  const preset = presetOf(request, presets);
  const plan =
    preset === undefined
      ? planOfOptions(request, maxOutputPixels)
      : planOfPreset(request, preset, maxOutputPixels);
  checkFilter(plan);
  return plan;
}

function presetOf(request: ProcessRequest, presets: Presets): PresetPlan | undefined {
  const { preset, preprocessorConfig } = request;
  if (preset === '' && preprocessorConfig === '') return undefined;
  const settings = presetSettings(request.presetSettings);
  if (preset === '') {
    checkSettings(settings, []);
    return parsePreprocessorConfig(preprocessorConfig);
  }
  const found = presets.find(preset);
  checkSettings(settings, found.settings ?? []);
  return found.plan(found.libraries[0], settings);
}
