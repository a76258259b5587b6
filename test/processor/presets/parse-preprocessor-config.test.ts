import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { parsePreprocessorConfig } from '../../../src/processor/presets/parse-preprocessor-config.ts';
import type { PresetLibrary } from '../../../src/processor/presets/preset.ts';

const vit = { image_processor_type: 'ViTImageProcessor' };
const clip = { image_processor_type: 'CLIPImageProcessor' };

const parse = (config: unknown, library: PresetLibrary = 'pillow') =>
  parsePreprocessorConfig(JSON.stringify(config)).plan(library, {});

function failureOf(json: string): Pick<Failure, 'reason' | 'message'> {
  try {
    parsePreprocessorConfig(json).plan('pillow', {});
  } catch (error) {
    if (error instanceof Failure) return { reason: error.reason, message: error.message };
    throw error;
  }
  throw new Error('it was taken');
}

const refusal = (config: unknown) => failureOf(JSON.stringify(config));

describe(parsePreprocessorConfig, () => {
  it('refuses values that are nested too deep', () => {
    const deep = `{"size":${'['.repeat(10_000)}${']'.repeat(10_000)}}`;
    expect(failureOf(deep)).toEqual({
      reason: 'PRESET_INVALID',
      message: 'The preprocessor config nests objects and arrays 10001 deep; the limit is 32.',
    });
  });

  it('reads a config that sets every key', () => {
    const plan = parse({
      ...clip,
      do_convert_rgb: true,
      do_resize: true,
      size: { shortest_edge: 336 },
      resample: 3,
      do_center_crop: true,
      crop_size: { height: 330, width: 320 },
      do_rescale: true,
      rescale_factor: 0.5,
      do_normalize: true,
      image_mean: [0.1, 0.2, 0.3],
      image_std: [1, 2, 3],
    });
    expect(plan).toEqual({
      alpha: [255, 255, 255],
      steps: [
        { kind: 'resize', fit: 'shortestEdge', shortestEdge: 336, filter: 'bicubic' },
        { kind: 'crop', width: 320, height: 330, origin: 'transformers' },
      ],
      tensor: {
        name: 'pixel_values',
        datatype: 'FP32',
        layout: 'NCHW',
        rescaleFactor: 0.5,
        mean: [0.1, 0.2, 0.3],
        std: [1, 2, 3],
        channelOrder: 'RGB',
        vllm: { fields: [{ name: 'pixel_values', kind: 'batched' }] },
      },
    });
  });

  it("takes its class's values for what a config leaves out", () => {
    expect(parse(vit)).toEqual({
      alpha: 'dropped',
      steps: [{ kind: 'resize', fit: 'fill', width: 224, height: 224, filter: 'bilinear' }],
      tensor: {
        name: 'pixel_values',
        datatype: 'FP32',
        layout: 'NCHW',
        rescaleFactor: 1 / 255,
        mean: [0.5, 0.5, 0.5],
        std: [0.5, 0.5, 0.5],
        channelOrder: 'RGB',
      },
    });
  });

  it.each(['CLIPImageProcessorFast', 'CLIPImageProcessorPil', 'CLIPFeatureExtractor'])(
    'knows the class by its name %s',
    (name) => {
      expect(parse({ image_processor_type: name })).toEqual(parse(clip));
      expect(parse({ feature_extractor_type: name })).toEqual(parse(clip));
    },
  );

  it('prefers image_processor_type to feature_extractor_type', () => {
    expect(parse({ ...clip, feature_extractor_type: 'ViTFeatureExtractor' })).toEqual(parse(clip));
  });

  it.each([
    ['ViTImageProcessor', 224, { fit: 'fill', height: 224, width: 224 }],
    ['CLIPImageProcessor', 224, { fit: 'shortestEdge', shortestEdge: 224 }],
    ['SiglipImageProcessor', 224, { fit: 'shortestEdge', shortestEdge: 224 }],
    ['ViTImageProcessor', [100, 200], { fit: 'fill', height: 100, width: 200 }],
    ['ViTImageProcessor', { width: 200, height: 100 }, { fit: 'fill', height: 100, width: 200 }],
    ['ViTImageProcessor', { shortest_edge: 9 }, { fit: 'shortestEdge', shortestEdge: 9 }],
    ['ViTImageProcessor', { shortest_edge: 9, longest_edge: null }, { fit: 'shortestEdge', shortestEdge: 9 }],
    [
      'ViTImageProcessor',
      { shortest_edge: 9, longest_edge: 20 },
      { fit: 'shortestEdge', shortestEdge: 9, longestEdge: 20 },
    ],
    ['ViTImageProcessor', { max_height: 9, max_width: 20 }, { fit: 'within', maxHeight: 9, maxWidth: 20 }],
    ['LevitImageProcessor', 224, { fit: 'shortestEdge', shortestEdge: 256 }],
    ['LevitImageProcessor', 100, { fit: 'shortestEdge', shortestEdge: 114 }], // 114.3
    ['ConvNextImageProcessor', 384, { fit: 'fill', height: 384, width: 384 }],
  ])('reads for a %s the size %j', (type, size, to) => {
    const [step] = parse({ image_processor_type: type, size }).steps;
    expect(step).toMatchObject({ kind: 'resize', ...to });
  });

  it('reads a single number by default_to_square', () => {
    const [edge] = parse({ ...vit, size: 99, default_to_square: false }).steps;
    expect(edge).toMatchObject({ fit: 'shortestEdge', shortestEdge: 99 });
    const [square] = parse({ ...clip, size: 99, default_to_square: true }).steps;
    expect(square).toMatchObject({ fit: 'fill', height: 99, width: 99 });
  });

  it.each([
    [0, 'nearest'],
    [1, 'lanczos'],
    [2, 'bilinear'],
    [3, 'bicubic'],
    [4, 'box'],
    [5, 'hamming'],
  ])("knows Pillow's filter %d as %s", (resample, filter) => {
    expect(parse({ ...vit, resample }).steps).toMatchObject([{ filter }]);
  });

  // 200 / 0.9 = 222.2
  it('resizes below 384 for ConvNeXT by crop_pct and crops', () => {
    expect(parse({ image_processor_type: 'ConvNextImageProcessor', size: 200, crop_pct: 0.9 }).steps).toEqual(
      [
        { kind: 'resize', fit: 'shortestEdge', shortestEdge: 222, filter: 'bicubic' },
        { kind: 'crop', width: 200, height: 200, origin: 'transformers' },
      ],
    );
  });

  it('omits steps that are off or null', () => {
    const off = { ...clip, do_resize: false, do_center_crop: null, do_convert_rgb: null };
    expect(parse(off)).toMatchObject({ alpha: 'dropped', steps: [] });
    expect(parse({ ...clip, do_rescale: false }).tensor.rescaleFactor).toBe(1);
    expect(parse({ ...clip, do_normalize: false }).tensor).toMatchObject({ mean: [0], std: [1] });
  });

  it('keeps the pixels if nothing is rescaled or normalized', () => {
    const { tensor } = parse({ ...clip, do_rescale: false, do_normalize: false });
    expect(tensor).toMatchObject({ datatype: 'UINT8', rescaleFactor: 1, mean: [0], std: [1] });
  });

  it.each([
    ['Idefics2ImageProcessor', 'torch', 'FP32'],
    ['Idefics2ImageProcessor', 'pillow', 'UINT8'],
    ['SmolVLMImageProcessor', 'torch', 'FP32'],
    ['MllamaImageProcessor', 'pillow', 'FP32'],
  ] as const)('gives the pixels of %s by %s as %s', (type, library, datatype) => {
    const config = { image_processor_type: type, do_rescale: false, do_normalize: false };
    const { plan } = parsePreprocessorConfig(JSON.stringify(config));
    expect(plan(library, {}).tensor).toMatchObject({ datatype });
  });

  it('reverses the channels for MobileViT and ignores its mean and std', () => {
    const mobileVit = { image_processor_type: 'MobileViTImageProcessor', do_normalize: true, image_std: 0 };
    expect(parse(mobileVit).tensor).toMatchObject({ channelOrder: 'BGR', mean: [0], std: [1] });
    expect(parse({ ...mobileVit, do_flip_channel_order: false }).tensor.channelOrder).toBe('RGB');
  });

  it("reads OWL-ViT's old rescale and KOSMOS-2's use_square_size", () => {
    const owlVit = { image_processor_type: 'OwlViTImageProcessor', rescale: false };
    expect(parse(owlVit).tensor.rescaleFactor).toBe(1);
    expect(parse({ ...clip, size: 100, use_square_size: true }).steps[0]).toMatchObject({
      fit: 'fill',
      height: 224,
      width: 224,
    });
  });

  it('ignores keys that do not affect pixels', () => {
    const inert = {
      processor_class: 'CLIPProcessor',
      _valid_processor_keys: ['images', 'do_resize'],
      return_tensors: 'pt',
      disable_grouping: null,
      device: 'cuda',
      input_data_format: null,
      data_format: 'channels_first',
      image_seq_length: '577',
      do_pad: false,
      auto_map: { AutoProcessor: 'processing_florence2.Florence2Processor' },
    };
    expect(parse({ ...clip, ...inert })).toEqual(parse(clip));
  });

  it.each([
    ['VitPoseImageProcessor', 'boxes, points or a second picture'],
    ['VideoMAEFeatureExtractor', 'the frames of a video'],
    ['VivitImageProcessorFast', 'the frames of a video'],
    ['Wav2Vec2FeatureExtractor', 'has no image processor of this name'],
    ['SomethingImageProcessor', 'has no image processor of this name'],
    ['toString', 'has no image processor of this name'],
    ['__proto__', 'has no image processor of this name'],
  ])('refuses the type %s by name, with what is missing', (type, missing) => {
    const { reason, message } = refusal({ image_processor_type: type });
    expect(reason).toBe('PRESET_UNSUPPORTED');
    expect(message).toContain(type.replace(/Fast$|FeatureExtractor$/, ''));
    expect(message).toContain(missing);
  });

  it.each([
    [
      'image_processor of a processor_config.json',
      { image_processor: clip, processor_class: 'CLIPProcessor' },
    ],
    ['a model_type', { model_type: 'florence2' }],
    ['a model_type beside image_processor', { image_processor: {}, model_type: 'florence2' }],
    ['a model_type where the class is unknown', { image_processor_type: 'X', model_type: 'clip' }],
    ['a class in an old spelling', { image_processor_type: 'ClipImageProcessor' }],
  ])('finds the class by %s', (_, config) => {
    expect(parse(config)).toEqual(parse({ image_processor_type: 'CLIPImageProcessor' }));
  });

  it('prefers the class to the model_type', () => {
    expect(parse({ ...vit, model_type: 'clip' })).toEqual(parse(vit));
  });

  it('names the keys that transformers ignores', () => {
    const ignored = { num_channels: 3, size_divisor: 32, crop_pct: 0.9, id2label: { 0: 'cat' } };
    expect(parse({ ...vit, ...ignored })).toEqual({
      ...parse(vit),
      decisions: ['ignored=num_channels, size_divisor, crop_pct, id2label'],
    });
    const many = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`key_${index}`, index]));
    const [decision] = parse({ ...vit, ...many }).decisions ?? [];
    expect(decision).toMatch(/^ignored=key_0, key_1, .*, key_19, …$/);
  });

  it.each([
    ['true', true],
    [1, true],
    [2.5, true],
    [0, false],
    [null, false],
  ])('counts %j as %s, as Python does', (value, flag) => {
    expect(parse({ ...vit, do_resize: value })).toEqual(parse({ ...vit, do_resize: flag }));
  });

  it.each([
    ['do_split_image', { image_processor_type: 'EomtImageProcessor', do_split_image: true }],
    ['apply_ocr', { image_processor_type: 'LayoutLMv3ImageProcessor' }],
    ['do_crop_margin', { image_processor_type: 'NougatImageProcessor' }],
    ['data_format', { ...clip, data_format: 'channels_last' }],
    [
      'do_center_crop',
      { image_processor_type: 'ConvNextImageProcessor', size: 224, do_center_crop: true, crop_size: 200 },
    ],
    ['auto_map', { ...clip, auto_map: { AutoImageProcessor: 'image_processing_x.XImageProcessor' } }],
  ])('refuses %s by name', (keys, config) => {
    const { reason, message } = refusal(config);
    expect(reason).toBe('PRESET_UNSUPPORTED');
    expect(message).toContain(`The preprocessor config's ${keys} is not computed here`);
  });

  it('ignores the key __proto__ like any other unknown key', () => {
    const json = '{"image_processor_type": "ViTImageProcessor", "__proto__": {}}';
    const { decisions } = parsePreprocessorConfig(json).plan('pillow', {});
    expect(decisions).toEqual(['ignored=__proto__']);
  });

  it.each([
    ['no text', '', 'is not JSON'],
    ['an image', '\x89PNG\r\n', 'is not JSON'],
    ['half a config', '{"image_processor_type": "CLIPImage', 'is not JSON'],
    ['a NaN of Python', '{"image_processor_type": "X", "image_mean": [NaN, 0, 0]}', 'NaN or Infinity'],
    ['an infinity of Python', '{"rescale_factor": -Infinity}', 'NaN or Infinity'],
    ['a list', '[]', 'is []; it has to be a JSON object'],
    ['a null', 'null', 'is null; it has to be a JSON object'],
    ['no type', '{}', 'image_processor_type is missing'],
    ['a type that is a number', '{"image_processor_type": 7}', 'image_processor_type is 7'],
    ['an unknown model_type', '{"model_type": "resnet-50"}', 'model_type is "resnet-50"'],
    ['an image_processor that is no object', '{"image_processor": []}', 'image_processor is []'],
  ])('refuses %s', (_, json, words) => {
    const { reason, message } = failureOf(json);
    expect(reason).toBe('PRESET_INVALID');
    expect(message).toContain(words);
  });

  it('refuses a config of 10 MB before it is parsed', () => {
    const { reason, message } = failureOf(`{"image_processor_type": "${'x'.repeat(10_000_000)}`);
    expect(reason).toBe('PRESET_INVALID');
    expect(message).toContain('has 10000026 bytes; the limit is 65536');
  });

  it.each([
    ['size is null', { ...vit, size: null }],
    ['size is "224"', { ...vit, size: '224' }],
    ['size is true', { ...vit, size: true }],
    ['size is []', { ...vit, size: [] }],
    ['size is [224]', { ...vit, size: [224] }],
    ['size is [1,2,3]', { ...vit, size: [1, 2, 3] }],
    ['size is {}', { ...vit, size: {} }],
    ['size is {"height":224}', { ...vit, size: { height: 224 } }],
    ['size is {"longest_edge":224}', { ...vit, size: { longest_edge: 224 } }],
    ['size is {"min_pixels":1,"max_pixels":9}', { ...vit, size: { min_pixels: 1, max_pixels: 9 } }],
    ['size is {"height":1,"width":1,"depth":1}', { ...vit, size: { height: 1, width: 1, depth: 1 } }],
    ['size.height is 0', { ...vit, size: { height: 0, width: 224 } }],
    ['size.width is -224', { ...vit, size: { height: 224, width: -224 } }],
    ['size.width is 224.5', { ...vit, size: { height: 224, width: 224.5 } }],
    ['size.shortest_edge is 65536', { ...vit, size: { shortest_edge: 65_536 } }],
    ['size is 1000000000', { ...vit, size: 1e9 }],
    ['size is [9,9]', { image_processor_type: 'ConvNextImageProcessor', size: [9, 9] }],
    [
      'size is {"max_height":9,"max_width":9}',
      {
        image_processor_type: 'LevitImageProcessor',
        size: { max_height: 9, max_width: 9 },
      },
    ],
    ['crop_pct is 0', { image_processor_type: 'ConvNextImageProcessor', size: 9, crop_pct: 0 }],
    ['crop_pct is null', { image_processor_type: 'ConvNextImageProcessor', size: 9, crop_pct: null }],
    ['crop_size is {"shortest_edge":224}', { ...clip, crop_size: { shortest_edge: 224 } }],
    ['crop_size is null', { ...clip, crop_size: null }],
    ['crop_size is null', { image_processor_type: 'DetrImageProcessor', do_center_crop: true }],
    ['size is null', { image_processor_type: 'AriaImageProcessor', do_resize: true }],
    ['resample is null', { image_processor_type: 'Swin2SRImageProcessor', do_resize: true, size: 9 }],
    ['do_rescale is false', { image_processor_type: 'DINOv3ViTImageProcessor', do_rescale: false }],
    ['do_rescale is false', { image_processor_type: 'Llama4ImageProcessor', do_rescale: false }],
    ['crop_size is -1', { ...clip, crop_size: -1 }],
    ['resample is 6', { ...vit, resample: 6 }],
    ['resample is "bicubic"', { ...vit, resample: 'bicubic' }],
    ['resample is null', { ...vit, resample: null }],
    ['do_resize is "yes"', { ...vit, do_resize: 'yes' }],
    ['do_center_crop is "false"', { ...vit, do_center_crop: 'false' }],
    ['do_center_crop is []', { ...vit, do_center_crop: [] }],
    ['rescale_factor is null', { ...vit, rescale_factor: null }],
    ['rescale_factor is "1/255"', { ...vit, rescale_factor: '1/255' }],
    ['rescale_factor is 1e+38', { ...vit, rescale_factor: 1e38 }],
    ['image_mean is null', { ...vit, image_mean: null }],
    ['image_mean is [0.5,0.5]', { ...vit, image_mean: [0.5, 0.5] }],
    ['image_mean is [0.5]', { ...vit, image_mean: [0.5] }],
    ['image_mean is [0,0,"0"]', { ...vit, image_mean: [0, 0, '0'] }],
    ['image_mean is [0,0,null]', { ...vit, image_mean: [0, 0, null] }],
    [
      'image_mean is 0.5',
      { image_processor_type: 'DeepseekVLImageProcessor', image_mean: 0.5, do_pad: false },
    ],
    ['image_std is [1,1,1,1]', { ...vit, image_std: [1, 1, 1, 1] }],
    ['image_std is [1,0,1]', { ...vit, image_std: [1, 0, 1] }],
    ['image_std is 1e-60', { ...vit, image_std: 1e-60 }], // 0 in FP32
    ['image_std is 1e+39', { ...vit, image_std: 1e39 }], // infinite in FP32
  ])('refuses a config whose %s', (words, config) => {
    const { reason, message } = refusal(config);
    expect(reason).toBe('PRESET_INVALID');
    expect(message).toContain(`The preprocessor config's ${words}; allowed: `);
  });

  it.each(['DonutImageProcessor', 'NougatImageProcessor'])(
    "refuses an image that is larger than the padding of %s's Pillow backend",
    (name) => {
      const config = { image_processor_type: name, do_crop_margin: false, do_thumbnail: false };
      const paddingBy = (library: 'torch' | 'pillow') => parse(config, library).steps.at(-1);
      expect(paddingBy('pillow')).toMatchObject({ kind: 'padTo', refusesLarger: true });
      expect(paddingBy('torch')).not.toHaveProperty('refusesLarger');
    },
  );

  it('refuses padding to a multiple that is missing, unless the backend ignores it', () => {
    const config = { image_processor_type: 'DPTImageProcessor', do_pad: true };
    expect(() => parse(config, 'torch')).toThrow(expect.objectContaining({ reason: 'PRESET_INVALID' }));
    expect(parse(config, 'pillow').tensor.arrangement).toBeUndefined();
  });

  it('lets Donut refuse a picture larger than its padding where NumPy pads', () => {
    const config = { image_processor_type: 'DonutImageProcessor', do_thumbnail: false };
    const paddingOf = (library: PresetLibrary) =>
      parse(config, library).steps.find(({ kind }) => kind === 'padTo');
    expect(paddingOf('pillow')).toMatchObject({ refusesLarger: true });
    expect(paddingOf('torch')).not.toHaveProperty('refusesLarger');
  });

  it("takes Gemma 4's nearest for torchvision's own", () => {
    const config = { resample: 0 };
    const filterOf = (type: string) =>
      parse({ ...config, image_processor_type: type }, 'torch').steps.find(({ kind }) => kind === 'resize');
    expect(filterOf('Gemma4ImageProcessor')).toMatchObject({ filter: 'nearest' });
    expect(filterOf('ViTImageProcessor')).toMatchObject({ filter: 'nearest-exact' });
  });

  it('refuses a number that is infinite after parsing', () => {
    const json = '{"image_processor_type": "ViTImageProcessor", "image_mean": [0, 0, 1e999]}';
    expect(failureOf(json)).toMatchObject({ reason: 'PRESET_INVALID' });
  });

  it('repeats no more than the beginning of a long value', () => {
    const { message } = refusal({ ...vit, size: 'x'.repeat(10_000) });
    expect(message.length).toBeLessThan(400);
    expect(parse({ ...vit, ['k'.repeat(10_000)]: 1 }).decisions).toEqual([`ignored=${'k'.repeat(40)}`]);
    expect(refusal({ image_processor_type: 'T'.repeat(10_000) }).message.length).toBeLessThan(800);
  });
});
