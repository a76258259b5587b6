import { describe, expect, it } from 'vitest';
import { Filter, Fit, ImageFormat, Numerics } from '../../gen/image/v1/processor_pb.ts';
import type { Failure } from '../../src/failures.ts';
import {
  filters,
  fits,
  formats,
  imageFormats,
  imageOptionNames,
  imageOptions,
  numericsWords,
} from '../../src/options/image-options.ts';
import { parseOptions } from '../../src/options/parse-options.ts';

function refusal(options: Record<string, string>) {
  try {
    parseOptions(Object.entries(options));
  } catch (error) {
    return (error as Failure).metadata.allowed;
  }
  return undefined;
}

/** The words of an enum of the contract, without its first, which stands for the default. */
const wordsOf = (values: Readonly<Record<string, unknown>>) =>
  Object.keys(values)
    .filter((key) => /^[A-Z]/.test(key) && key !== 'UNSPECIFIED')
    .map((key) => key.toLowerCase());

describe('imageOptions', () => {
  it('reads every option from text', () => {
    const options = {
      page: '3',
      dpi: '200',
      page_box: 'media',
      annotations: 'false',
      scale: 'true',
      width: '224',
      height: '112',
      shortest_edge: '256',
      crop_width: '200',
      crop_height: '100',
      preset: 'clip-vit-base-patch32',
      preprocessor_config: '{}',
      fit: 'cover',
      filter: 'bicubic',
      grayscale: 'false',
      format: 'npy',
      quality: '85',
      numerics: 'fast',
      background: 'FF8000',
      orientation: 'ignore',
      alpha: 'drop',
      pixels: 'uint8',
      imgsz: '480,640',
      stride: '64',
      rect: 'true',
      datatype: 'fp16',
      layout: 'nhwc',
      rescale: '0.5',
      mean: '0.485,0.456,0.406',
      std: '1',
      channel_order: 'bgr',
      store: 'wait',
      store_link: '60',
    };
    expect(Object.keys(options).sort()).toEqual([...imageOptionNames].sort());
    expect(parseOptions(Object.entries(options)).values).toEqual({
      page: 3,
      dpi: 200,
      page_box: 'media',
      annotations: false,
      scale: true,
      width: 224,
      height: 112,
      shortest_edge: 256,
      crop_width: 200,
      crop_height: 100,
      preset: 'clip-vit-base-patch32',
      preprocessor_config: '{}',
      fit: 'cover',
      filter: 'bicubic',
      grayscale: false,
      format: 'npy',
      quality: 85,
      numerics: 'fast',
      background: '#ff8000',
      orientation: 'ignore',
      alpha: 'drop',
      pixels: 'uint8',
      imgsz: [480, 640],
      stride: 64,
      rect: true,
      datatype: 'fp16',
      layout: 'nhwc',
      rescale: 0.5,
      mean: [0.485, 0.456, 0.406],
      std: [1],
      channel_order: 'bgr',
      store: 'wait',
      store_link: 60,
    });
  });

  it('omits the omitted options', () => {
    expect(parseOptions([]).values).toEqual({});
  });

  it.each([
    [{ width: '0' }, 'a whole number from 1 to 65535'],
    [{ width: '-5' }, 'a whole number from 1 to 65535'],
    [{ width: '1000000000' }, 'a whole number from 1 to 65535'],
    [{ height: 'abc' }, 'a whole number from 1 to 65535'],
    [{ fit: 'squeeze' }, 'one of fill, cover, contain, inside, outside'],
    [{ filter: 'mitchell' }, 'one of nearest, box, bilinear, hamming, bicubic, lanczos'],
    [
      { format: 'avif' },
      'one of source, jpeg, png, webp, raw, npy, safetensors, npz, vllm, open_inference, auto',
    ],
    [{ quality: '101' }, 'a whole number from 1 to 100'],
    [{ numerics: 'approximate' }, 'one of exact, pillow, torch, opencv, fast'],
    [{ background: 'orange' }, 'a colour as RRGGBB or #RRGGBB'],
    [{ background: '#ff80' }, 'a colour as RRGGBB or #RRGGBB'],
    [{ rescale: '1/255' }, 'a finite number'],
    [{ std: '' }, 'finite numbers with commas between them'],
  ])('refuses %j', (options, allowed) => {
    expect(refusal(options)).toBe(allowed);
  });

  it('refuses an unknown option', () => {
    expect(() => parseOptions([['heigth', '5']])).toThrow(
      'There is no option "heigth"; did you mean height?',
    );
  });

  it('describes the purpose of each option', () => {
    for (const { meaning } of Object.values(imageOptions)) expect(meaning).toMatch(/\w+ \w+/);
  });

  it('uses the words of the contract', () => {
    expect(wordsOf(Fit)).toEqual(fits);
    expect(wordsOf(Filter)).toEqual(filters);
    expect(new Set(wordsOf(Numerics))).toEqual(new Set(numericsWords));
    expect(wordsOf(ImageFormat)).toEqual([
      ...imageFormats,
      'avif',
      'gif',
      'tiff',
      'bmp',
      'heic',
      'jxl',
      'pdf',
    ]);
    expect(formats).toEqual([
      'source',
      ...imageFormats,
      'raw',
      'npy',
      'safetensors',
      'npz',
      'vllm',
      'open_inference',
      'auto',
    ]);
  });
});
