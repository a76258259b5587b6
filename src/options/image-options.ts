import { z } from 'zod';
import { finiteNumber, flag, numbers, oneOf, wholeNumber } from './text-schemas.ts';

/**
 * What may be asked of an image, as text with a name: the API's query parameters and form fields, and
 * the client's flags. Each stands for a field of image.v1.ProcessRequest, which has the same rules; what
 * only the processor can know (its limits, the image itself) it checks itself.
 */

/** The most answers of one image in one request: each adds to what a worker holds. */
export const maxVariants = 16;

/** `fit`, by the names of image.v1.Fit. */
export const fits = ['fill', 'cover', 'contain', 'inside', 'outside'] as const;
/** `filter`, by the names of image.v1.Filter and of Pillow. */
export const filters = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;
/** Filters that `numerics=fast` has: libvips has no other of Pillow's. */
export const fastFilters = [
  'nearest',
  'bilinear',
  'bicubic',
  'lanczos',
] as const satisfies readonly (typeof filters)[number][];
/** Formats that an image is written in. */
export const imageFormats = ['jpeg', 'png', 'webp'] as const;
/** Containers that a tensor is written in. */
export const tensorContainers = ['raw', 'npy', 'safetensors'] as const;
/** `format`: `source` is the source's own. */
export const formats = ['source', ...imageFormats, ...tensorContainers] as const;

/** The options by name. All are optional: what a request leaves out comes from the API's environment. */
export const imageOptions = z
  .strictObject({
    scale: flag().describe('Whether to resize at all'),
    width: wholeNumber(1, 65_535).describe(
      'Width in pixels; without height, the height is in proportion and fit has no effect',
    ),
    height: wholeNumber(1, 65_535).describe(
      'Height in pixels; without width, the width is in proportion and fit has no effect',
    ),
    shortest_edge: wholeNumber(1, 65_535).describe(
      'Instead of width and height: the shorter side in pixels, the longer one in proportion',
    ),
    crop_width: wholeNumber(1, 65_535).describe('Width in pixels to cut out of the middle after the resize'),
    crop_height: wholeNumber(1, 65_535).describe(
      'Height in pixels to cut out of the middle after the resize',
    ),
    fit: oneOf(fits).describe('How the image meets width × height'),
    filter: oneOf(filters).describe('Resampling filter, as in Pillow'),
    grayscale: flag().describe('One channel of Rec. 601 luma, computed after the resize'),
    format: oneOf(formats).describe(
      "Image format of the answer (source: the source's own), or the container of a tensor",
    ),
    quality: wholeNumber(1, 100).describe('Quality of a JPEG (default 90) or WebP (default 80)'),
    numerics: oneOf(['exact', 'fast']).describe("exact: Pillow's pixels; fast: libvips' shrinking decode"),
    background: z
      .string()
      .regex(/^#?[0-9a-fA-F]{6}$/, 'a colour as RRGGBB or #RRGGBB')
      .transform((text) => `#${text.replace('#', '').toLowerCase()}`)
      .describe('Colour behind transparent pixels and in the bars of fit=contain'),
    preset: z
      .string()
      .min(1, 'the name of a preset')
      .max(200, 'the name of a preset')
      .describe("A model's own preprocessing by name, such as clip-vit-base-patch32; the answer is npy then"),
    preprocessor_config: z
      .string()
      .min(1, 'the JSON of a preprocessor_config.json')
      .describe('The same from a Hugging Face preprocessor_config.json, as it is'),
    datatype: oneOf(['uint8', 'fp16', 'fp32', 'bf16']).describe("Type of a tensor's values"),
    layout: oneOf(['nchw', 'nhwc']).describe("Order of a tensor's axes"),
    rescale: finiteNumber().describe(
      "Factor on a tensor's values before mean and std (default 1/255 = 0.00392156862745098)",
    ),
    mean: numbers().describe('Subtracted from a tensor: one value, or one a channel'),
    std: numbers().describe('Divides a tensor: one value, or one a channel'),
    channel_order: oneOf(['rgb', 'bgr']).describe("Order of a tensor's colour channels"),
  })
  .partial();

export type ImageOptions = z.output<typeof imageOptions>;

/** The names of the options, as they stand in a query, a form or (with dashes) a flag. */
export const imageOptionNames = Object.keys(imageOptions.shape) as (keyof ImageOptions)[];
