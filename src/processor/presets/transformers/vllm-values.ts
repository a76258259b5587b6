import type { TokenRule } from '../../image/tokens.ts';
import type { VllmField, VllmPlan } from '../../image/vllm-plan.ts';
import { readWholeNumber } from '../config-values.ts';
import type { ConfigValues, VllmDeclaration } from '../processor-types.ts';
import { readResolutions } from './tile-values.ts';

/*
 * How the models of vLLM 0.33 take the tensors of types: vllm/model_executor/models/*.py, there `_get_mm_fields_config`
 * for the fields and `_get_prompt_updates` for the tokens. Where the config does not tell the number of tokens, it is not
 * known: their other source is the model's config.json.
 */

const most = Number.MAX_SAFE_INTEGER;
const pixels: VllmField = { name: 'pixel_values', kind: 'batched' };
const tiles: VllmField = { name: 'pixel_values', kind: 'flat' };
const nestedTiles: VllmField = { ...tiles, isNested: true };
const imageSizes: VllmField = { name: 'image_sizes', kind: 'batched', onCpu: true };
const count = (name: string): VllmField => ({ name, kind: 'count' });

/** qwen2_vl.py, glm4_1v.py, paddleocr_vl.py, cohere_compass.py, muse_glimmer.py: patches and their grid. */
const patchFields: readonly VllmField[] = [tiles, { name: 'image_grid_thw', kind: 'batched', onCpu: true }];

export const vllmPatches: VllmDeclaration = () => ({ fields: patchFields });
export const vllmPatchesToNormalize: VllmDeclaration = () => ({ fields: patchFields, normalizes: true });

/** llava.py, paligemma.py, blip2.py, clip.py, siglip.py: one picture. */
export const vllmPicture: VllmDeclaration = (config, processor) => ({
  fields: [pixels],
  tokens:
    tokensOfLlava(processor) ??
    tokensOfEach({ ...config, ...processor }, 'image_seq_length', 'num_query_tokens'),
});

/** llava_next.py */
export const vllmLlavaNext: VllmDeclaration = (config, processor) => {
  const patch = numberIn(processor, 'patch_size');
  const others = tokensBesidePatches(processor);
  const tile = tileOf(config);
  const side = patch === undefined || tile === undefined ? undefined : Math.floor(tile / patch);
  return anyResolution(
    config,
    side,
    side === undefined || others === undefined ? undefined : side ** 2 + others,
  );
};

/** llava_onevision.py */
export const vllmLlavaOnevision: VllmDeclaration = (config, processor) => {
  const whole = numberIn(processor, 'num_image_tokens');
  const isLess = processor.vision_feature_select_strategy === 'default';
  const side = whole === undefined ? undefined : Math.sqrt(whole);
  return anyResolution(config, side, whole === undefined || !isLess ? whole : whole - 1, 9);
};

/** gemma3_mm.py */
export const vllmGemma3: VllmDeclaration = (config, processor) => ({
  fields: [tiles, count('num_patches')],
  tokens: tokensOfEach({ ...config, ...processor }, 'image_seq_length'),
});

/** gemma4_mm.py, gemma4_unified.py */
export const vllmGemma4: VllmDeclaration = () => ({
  fields: [pixels, { name: 'pixel_position_ids', kind: 'batched', tensor: 'image_position_ids' }],
});

/** idefics3.py, smolvlm.py */
export const vllmIdefics3: VllmDeclaration = (config, processor) => {
  if (!config.do_pad) return { allowed: 'vllm only with do_pad, whose pixel_attention_mask vLLM takes' };
  if (config.do_image_splitting && !Number.isInteger(edgeOf(config.size) / edgeOf(config.max_image_size))) {
    return {
      allowed:
        'vllm only with a longest_edge of size that is a multiple of that of max_image_size: vLLM counts other tiles for others',
    };
  }
  return {
    fields: [
      nestedTiles,
      { name: 'pixel_attention_mask', kind: 'flat', isNested: true },
      count('num_patches'),
    ],
    tokens: tokensOfEach(processor, 'image_seq_len'),
  };
};

/** cohere2_vision.py. Its processor takes `patch_size` from the image processor, whose class has 16. */
export const vllmCohere2Vision: VllmDeclaration = (config) => ({
  fields: [tiles, { name: 'num_patches', kind: 'batched', onCpu: true }],
  tokens: { kind: 'pictures', each: (numberIn(config, 'patch_size') ?? 16) ** 2 },
});

/** mllama4.py */
export const vllmLlama4: VllmDeclaration = (_, processor) => {
  const patch = numberIn(processor, 'patch_size');
  const { pixel_shuffle_ratio: ratio } = processor;
  const side = patch === undefined || typeof ratio !== 'number' ? undefined : Math.round(patch / ratio);
  return {
    fields: [tiles, count('patches_per_image'), { name: 'aspect_ratios', kind: 'batched', onCpu: true }],
    ...(side && { tokens: { kind: 'areas', side } }),
  };
};

/** aria.py: as many tokens as the largest square has, whatever the image is. */
export const vllmAria: VllmDeclaration = (config) => {
  if (config.split_image)
    return { allowed: 'vllm only without split_image: vLLM takes one picture of an image' };
  return {
    fields: [pixels, { name: 'pixel_mask', kind: 'batched' }],
    tokens: { kind: 'pictures', each: 256 },
  };
};

/** lfm2_vl.py */
export const vllmLfm2Vl: VllmDeclaration = (config) => {
  if (!config.do_image_splitting || !config.use_thumbnail) {
    return {
      allowed: 'vllm only with do_image_splitting and use_thumbnail: vLLM counts tiles and a thumbnail',
    };
  }
  const patch = readWholeNumber(config, 'encoder_patch_size', 1, most);
  return {
    fields: [tiles, { name: 'spatial_shapes', kind: 'flat', onCpu: true }, count('num_patches')],
    tokens: { kind: 'areas', side: patch * readWholeNumber(config, 'downsample_factor', 1, most) },
  };
};

/** interns1.py. InternVLProcessor sets `crop_to_patches`, and the item contains the id of the token. */
export const vllmInternVl: VllmDeclaration = (config, processor) => {
  const id = numberIn(processor, 'image_token_id', 0);
  if (!config.crop_to_patches || id === undefined) {
    return {
      allowed:
        'vllm only with crop_to_patches true, as InternVLProcessor sets it, and image_token_id of the config.json of the model beside image_processor',
    };
  }
  return {
    fields: [tiles, count('image_num_patches'), { name: 'image_token_id', kind: 'shared', value: id }],
    tokens: tokensOfEach(processor, 'image_seq_length'),
  };
};

/** mistral3.py, and llava.py for Pixtral, which does not normalize. PixtralProcessor sets the image processor's patch. */
export const vllmPixtral: VllmDeclaration = (config, processor) => {
  const patch = numberIn(processor, 'patch_size');
  const merge = numberIn(processor, 'spatial_merge_size');
  if (processor.processor_class !== 'PixtralProcessor' || patch === undefined || merge === undefined) {
    return {
      allowed:
        'vllm only with processor_class PixtralProcessor, patch_size and spatial_merge_size of processor_config.json beside image_processor',
    };
  }
  const side = patch * merge;
  if (sideOf(config.patch_size) !== side) {
    return { allowed: `vllm only with patch_size ${side} in image_processor, as PixtralProcessor sets it` };
  }
  return {
    fields: [pixels],
    ...(merge > 1 && { normalizes: true }),
    tokens: { kind: 'areas', side },
  };
};

/** vLLM runs code of the model's repository, whose tensors differ. @param reason - in words that follow "because " */
export function vllmRefused(reason: string): VllmDeclaration {
  return () => ({ allowed: `safetensors or npz, because ${reason}` });
}

/** NaN for a size without it. */
function edgeOf(size: unknown): number {
  return Number((size as ConfigValues | null)?.longest_edge);
}

function anyResolution(
  config: ConfigValues,
  side: number | undefined,
  whole: number | undefined,
  maxTiles?: number,
): VllmPlan {
  const fields = [pixels, imageSizes];
  const tile = tileOf(config);
  if (tile === undefined || side === undefined || whole === undefined) return { fields };
  const resolutions = readResolutions(config, 'image_grid_pinpoints');
  return {
    fields,
    tokens: { kind: 'anyResolution', resolutions, tile, side, whole, ...(maxTiles && { maxTiles }) },
  };
}

/** The side of a tile of LLaVA-NeXT: that of the crop, else of the size. */
function tileOf({ crop_size: crop, size }: ConfigValues): number | undefined {
  return sideOf(crop) ?? sideOf(size);
}

/** The height of a size, or its only edge. */
function sideOf(size: unknown): number | undefined {
  if (typeof size === 'number') return size;
  const { height, shortest_edge: edge } = (size ?? {}) as ConfigValues;
  return [height, edge].find((side) => typeof side === 'number') as number | undefined;
}

/** LLaVA's: one for each patch, and those that the vision model adds. */
function tokensOfLlava(processor: ConfigValues): TokenRule | undefined {
  const side = numberIn(processor, 'patch_size');
  const others = tokensBesidePatches(processor);
  return side === undefined || others === undefined ? undefined : { kind: 'areas', side, others };
}

/** `num_additional_image_tokens`, without the one that the strategy `default` drops. */
function tokensBesidePatches(processor: ConfigValues): number | undefined {
  const additional = numberIn(processor, 'num_additional_image_tokens', 0);
  if (additional === undefined) return undefined;
  switch (processor.vision_feature_select_strategy) {
    case 'default':
      return additional - 1;
    case 'full':
      return additional;
    default:
      return undefined;
  }
}

function tokensOfEach(processor: ConfigValues, ...keys: readonly string[]): TokenRule | undefined {
  const each = keys.map((key) => numberIn(processor, key)).find((number) => number !== undefined);
  return each === undefined ? undefined : { kind: 'pictures', each };
}

/** Unset: the config has no such whole number. Other formats do not need it, so it is not refused. */
function numberIn(config: ConfigValues, key: string, min = 1): number | undefined {
  const value = config[key];
  return Number.isSafeInteger(value) && (value as number) >= min ? (value as number) : undefined;
}
