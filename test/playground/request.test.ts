import { toJson } from '@bufbuild/protobuf';
import { describe, expect, it } from 'vitest';
import { ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import type { ImageDefaults } from '../../src/options/image-options.ts';
import { processRequest } from '../../src/options/image-request.ts';
import { parseOptions } from '../../src/options/parse-options.ts';
import { optionsOf, requestOf } from '../../src/playground/request.ts';
import { asPng, initialSettings, type Settings } from '../../src/playground/settings.ts';

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
    shortestEdge: '256',
    cropWidth: '224',
    cropHeight: '200',
  },
  'the size as it comes, on a background': { sizing: 'source', background: '#FF8000', format: 'png' },
  'a JPEG of a quality': { format: 'jpeg', quality: '77', numerics: 'fast' },
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
    channelOrder: 'bgr',
  },
  'a preset, of which the other settings say nothing': { recipe: 'preset', format: 'webp', mean: '3' },
  "a preset's tensor": { recipe: 'preset', output: 'tensor', preset: 'ResNet50_Weights.IMAGENET1K_V2' },
};

/** An environment whose defaults are others than the page's, so that what is left out would show. */
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
    const settings = { ...initialSettings, ...changes };
    const throughHttp = processRequest(
      { case: 'url', value: 'https://example.com/' },
      parseOptions(optionsOf(settings)).values,
      defaults,
    );
    const { url: _url, ...expected } = toJson(ProcessRequestSchema, throughHttp) as Record<string, unknown>;
    expect(toJson(ProcessRequestSchema, requestOf(settings))).toEqual(expected);
  });

  it('refuses what is no number, by the name of the option', () => {
    const read = () => requestOf({ ...initialSettings, width: '' });
    expect(read).toThrow('width is ""; allowed: a whole number from 1 to 65535.');
    expect(() => requestOf({ ...initialSettings, output: 'tensor', mean: '1,x' })).toThrow(
      'mean is "x"; allowed: finite numbers with commas between them.',
    );
  });

  it('leaves the limits to the service', () => {
    expect(requestOf({ ...initialSettings, width: '0' }).resize?.width).toBe(0);
  });
});

describe(asPng, () => {
  it('asks for the same pixels without loss', () => {
    const settings = { ...initialSettings, width: '64', output: 'tensor', quality: '50' } as const;
    expect(toJson(ProcessRequestSchema, requestOf(asPng(settings, 'fast')))).toEqual({
      resize: { width: 64, height: 768, fit: 'FIT_FILL', filter: 'FILTER_BILINEAR' },
      grayscale: true,
      image: { format: 'IMAGE_FORMAT_PNG' },
      numerics: 'NUMERICS_FAST',
    });
  });
});
