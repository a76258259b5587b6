import { create } from '@bufbuild/protobuf';
import {
  type GetPresetRequest,
  type GetPresetResponse,
  GetPresetResponseSchema,
  type ListPresetsRequest,
  type ListPresetsResponse,
  ListPresetsResponseSchema,
  Numerics,
  type Preset as PresetMessage,
  PresetSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { namesOfTensors } from './image/tensor.ts';
import type { Preset, PresetLibrary } from './presets/preset.ts';
import { pageOfPresets } from './presets/preset-pages.ts';
import type { PresetPlan } from './presets/preset-plan.ts';
import type { Presets } from './presets/presets.ts';
import { stepsInWords } from './presets/steps-in-words.ts';

/** A page of the list of presets. @throws OPTION_INVALID */
export function listPresets(request: ListPresetsRequest, presets: Presets): ListPresetsResponse {
  const page = pageOfPresets(presets, request);
  return create(ListPresetsResponseSchema, {
    presets: page.presets.map((preset) => presetMessage(preset, presets)),
    nextCursor: page.nextCursor,
  });
}

/** One preset in detail. @throws PRESET_UNKNOWN */
export function getPreset({ name }: GetPresetRequest, presets: Presets): GetPresetResponse {
  const preset = presets.find(name);
  return create(GetPresetResponseSchema, {
    preset: presetMessage(preset, presets),
    steps: stepsInWords(planOf(preset)),
    python: preset.python(),
  });
}

function planOf({ libraries, plan }: Preset): PresetPlan {
  return plan(libraries[0], {});
}

function presetMessage(preset: Preset, presets: Presets): PresetMessage {
  const { name, family, libraries } = preset;
  const plan = planOf(preset);
  return create(PresetSchema, {
    name,
    aliases: [...presets.aliasesOf(preset)],
    family,
    // libvips' shrinking decode serves presets of one picture.
    numerics: [
      ...libraries.map((library) => numericsValues[library]),
      ...(plan.views ? [] : [Numerics.FAST]),
    ],
    outputs: [...namesOfTensors(plan.tensor)],
  });
}

const numericsValues: Readonly<Record<PresetLibrary, Numerics>> = {
  pillow: Numerics.PILLOW,
  torch: Numerics.TORCH,
  opencv: Numerics.OPENCV,
};
