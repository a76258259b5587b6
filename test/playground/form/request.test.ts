import { toJson } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ProcessRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import { type ImageDefaults, imageOptionNames } from '../../../src/options/image-options.ts';
import { processRequest } from '../../../src/options/image-request.ts';
import { parseOptions } from '../../../src/options/parse-options.ts';
import { isHidden, isWordExcluded, optionsOf, requestOf } from '../../../src/playground/form/request.ts';
import { asPng, type Settings } from '../../../src/playground/form/settings.ts';
import { ownSettings } from './own-settings.ts';

const cases: Record<string, Partial<Settings>> = {
  'the settings that it starts with': {},
  'a size of its own, in colour': {
    width: '224',
    height: '100',
    fit: 'cover',
    filter: 'lanczos',
    grayscale: false,
  },
  'a shorter side and a crop': {
    sizing: 'shortest_edge',
    shortest_edge: '256',
    crop_width: '224',
    crop_height: '200',
  },
  'the size as it comes, on a background': { sizing: 'source', background: '#FF8000', format: 'png' },
  'a JPEG of a quality': { format: 'jpeg', quality: '77', numerics: 'fast' },
  'a JPEG as it is stored, over white': { format: 'jpeg', orientation: 'ignore', alpha: 'white' },
  'a PNG, after a quality was typed': { format: 'png', quality: '77' },
  'a tensor of its own': {
    output: 'tensor',
    grayscale: false,
    datatype: 'fp16',
    layout: 'nhwc',
    container: 'safetensors',
    rescale: '0.5',
    mean: '0.485,0.456,0.406',
    std: '0.229, 0.224, 0.225',
    channel_order: 'bgr',
  },
  'a preset, of which the other settings say nothing': { recipe: 'preset', format: 'webp', mean: '3' },
  'a preset without transparency': { recipe: 'preset', alpha: 'drop', orientation: 'ignore' },
  "a preset's tensor": { recipe: 'preset', output: 'tensor', preset: 'ResNet50_Weights.IMAGENET1K_V2' },
};

/** An environment whose defaults differ from the page's, so that omitted options would show. */
const defaults: ImageDefaults = {
  scale: false,
  width: 11,
  height: 12,
  fit: 'inside',
  filter: 'box',
  grayscale: false,
  format: 'webp',
  quality: undefined,
  numerics: 'fast',
};

describe(requestOf, () => {
  it.each(Object.entries(cases))('says what the options of HTTP say: %s', (_, changes) => {
    const settings = { ...ownSettings, ...changes };
    const throughHttp = processRequest(
      { case: 'url', value: 'https://example.com/' },
      parseOptions(optionsOf(settings)).values,
      defaults,
    );
    const { url: _url, ...expected } = toJson(ProcessRequestSchema, throughHttp) as Record<string, unknown>;
    expect(toJson(ProcessRequestSchema, requestOf(settings))).toEqual(expected);
  });

  it.each([
    [{ width: '' }, 'width is ""; allowed: a whole number from 1 to 65535.'],
    [{ width: '70000' }, 'width is "70000"; allowed: a whole number from 1 to 65535.'],
    [{ sizing: 'shortest_edge', shortest_edge: '' }, 'shortest_edge is ""; allowed: a whole number'],
    [{ crop_width: '5' }, 'crop_width is given and crop_height is not; give both.'],
    [{ recipe: 'preset', preset: '' }, 'preset is ""; allowed: the name of a preset.'],
    [{ output: 'tensor', mean: '1,x' }, 'mean is "1,x"; allowed: finite numbers with commas between them.'],
    [{ output: 'tensor', datatype: 'bf16' }, 'datatype is bf16; allowed: uint8, fp16 or fp32 in npy'],
  ] as [Partial<Settings>, string][])('refuses %j in the words of image-api', (changes, message) => {
    expect(() => requestOf({ ...ownSettings, ...changes })).toThrow(message);
  });
});

describe(isHidden, () => {
  const hidden = (changes: Partial<Settings>) =>
    imageOptionNames.filter((name) => isHidden(name, { ...ownSettings, ...changes }));
  const ofTensor = ['datatype', 'pixels', 'layout', 'rescale', 'mean', 'std', 'channel_order'];

  it.each<[string, Partial<Settings>, string[]]>([
    ['an image of a size', {}, ['shortest_edge', ...ofTensor]],
    ['an image of a shorter side', { sizing: 'shortest_edge' }, ['width', 'height', 'fit', ...ofTensor]],
    [
      'an image as large as its source',
      { sizing: 'source' },
      ['width', 'height', 'shortest_edge', 'fit', 'filter', ...ofTensor],
    ],
    ['a PNG', { format: 'png' }, ['shortest_edge', 'quality', ...ofTensor]],
    ['a tensor', { output: 'tensor' }, ['shortest_edge', 'quality']],
  ])('says which fields have no effect for %s', (_, changes, expected) => {
    const all = ['preset', 'preprocessor_config', ...expected];
    expect(hidden({ ...changes }).toSorted()).toEqual(all.toSorted());
  });

  it('leaves beside a preset only what goes with one', () => {
    const shown = imageOptionNames.filter(
      (name) => !isHidden(name, { ...ownSettings, recipe: 'preset', output: 'tensor' }),
    );
    expect(shown.join()).toBe(
      'page,dpi,page_box,annotations,format,numerics,orientation,alpha,preset,imgsz,stride,rect,datatype,pixels,layout,store,store_link',
    );
  });
});

describe(isWordExcluded, () => {
  it('lists the words that the other settings exclude', () => {
    const tensor = { ...ownSettings, output: 'tensor' } as const;
    expect(isWordExcluded('datatype', 'bf16', tensor)).toBe(true);
    expect(isWordExcluded('datatype', 'bf16', { ...tensor, container: 'raw' })).toBe(false);
    expect(isWordExcluded('datatype', 'uint8', { ...tensor, std: '2' })).toBe(true);
    expect(isWordExcluded('filter', 'hamming', { ...ownSettings, numerics: 'fast' })).toBe(true);
    expect(isWordExcluded('filter', 'hamming', ownSettings)).toBe(false);
  });
});

describe(asPng, () => {
  it('requests the same pixels without loss', () => {
    const settings = { ...ownSettings, width: '64', output: 'tensor', quality: '50' } as const;
    expect(toJson(ProcessRequestSchema, requestOf(asPng(settings, 'fast')))).toEqual({
      resize: { width: 64, height: 768, fit: 'FIT_FILL', filter: 'FILTER_BILINEAR' },
      grayscale: true,
      image: { format: 'IMAGE_FORMAT_PNG' },
      numerics: 'NUMERICS_FAST',
    });
  });
});
