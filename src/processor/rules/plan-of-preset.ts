import type { ProcessRequest } from '../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../failures.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { Plan } from '../image/plan.ts';
import { fixedSizeOf } from '../image/steps.ts';
import { kindOfViews } from '../image/views/views.ts';
import type { Preset, PresetLibrary, PresetSettings } from '../presets/preset.ts';
import type { PresetPlan } from '../presets/preset-plan.ts';
import { alphaAndOrientation } from './alpha-plan.ts';
import { enumName, numericsNames } from './enum-names.ts';
import { checkRequestedSize } from './limits.ts';
import { imagePlan, presetTensorPlan } from './output-plan.ts';
import { sourcePlan } from './source-plan.ts';

/**
 * The plan of a request with a preset: the preset's steps, and the options that a request may set in addition.
 *
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT, NUMERICS_UNSUPPORTED, PRESET_INVALID, PRESET_UNSUPPORTED
 */
export function planOfPreset(
  request: ProcessRequest,
  { libraries, plan }: Pick<Preset, 'libraries' | 'plan'>,
  settings: PresetSettings,
  maxOutputPixels: number,
): Plan {
  const { output } = request;
  const { numerics, library } = numericsOf(request, libraries);
  const preset = plan(library, settings);
  for (const step of preset.steps) {
    const size = fixedSizeOf([step]);
    if (size !== undefined) checkRequestedSize(size.width, size.height, maxOutputPixels);
  }
  checkOnePicture(request, numerics, preset);
  return {
    source: sourcePlan(request.sourceOptions),
    numerics,
    ...alphaAndOrientation(request, preset.alpha),
    steps: preset.steps,
    ...(preset.views && { views: preset.views }),
    ...(preset.unreadableHeights && { unreadableHeights: preset.unreadableHeights }),
    ...(preset.decisions && { decisions: preset.decisions }),
    output:
      output.case === 'image'
        ? imagePlan(output.value)
        : presetTensorPlan(output.case === 'tensor' ? output.value : undefined, preset.tensor),
  };
}

/** A preset of several pictures has no image, and libvips' shrinking decode serves only one size. */
function checkOnePicture(
  { output }: ProcessRequest,
  numerics: Plan['numerics'],
  { views }: PresetPlan,
): void {
  if (views === undefined || kindOfViews(views).isOnePicture) return;
  const allowed = 'a tensor, because the preset makes several pictures of an image';
  if (output.case === 'image') throw invalidOption('output', 'an image', allowed);
  if (numerics === 'fast') {
    throw invalidOption('numerics', 'fast', 'exact, because the preset makes several pictures of an image');
  }
}

/**
 * The numerics of the plan, and the library that the preset is planned for. `fast` resamples as Pillow does, where the
 * preset has Pillow's plan.
 *
 * @throws NUMERICS_UNSUPPORTED for a library that does not compute the preset
 */
function numericsOf(
  request: ProcessRequest,
  libraries: Preset['libraries'],
): { readonly numerics: Plan['numerics']; readonly library: PresetLibrary } {
  const named = enumName('numerics', request.numerics, numericsNames);
  const [own] = libraries;
  if (named === 'fast') return { numerics: 'fast', library: libraries.includes('pillow') ? 'pillow' : own };
  const library = named === 'exact' ? own : named;
  if (libraries.includes(library)) return { numerics: library, library };
  throw new Failure(
    'NUMERICS_UNSUPPORTED',
    `numerics is ${library}, and this preset is computed by ${libraries.join(' or ')}; leave numerics out for ${own}.`,
    { numerics: library, allowed: libraries.join(', ') },
  );
}
