import {
  boolean,
  colour,
  finiteNumber,
  finiteNumbers,
  heightAndWidth,
  integer,
  type Kind,
  numberFrom,
  text,
  word,
} from './kinds.ts';
import { pages } from './pages.ts';

/*
 * The options of a request: image-api's query parameters and form fields, the client's flags, the playground's fields.
 * Each stands for a field of image.v1.ProcessRequest. combinations.ts has the rules for which of them go together.
 */

/** The most outputs of one image in one request: each adds to the memory that a worker holds. */
export const maxVariants = 16;

/** Values of `fit`, named as in image.v1.Fit. */
export const fits = ['fill', 'cover', 'contain', 'inside', 'outside'] as const;
/** Values of `filter`, named as in image.v1.Filter and in Pillow. */
export const filters = ['nearest', 'box', 'bilinear', 'hamming', 'bicubic', 'lanczos'] as const;
/** The filters of `numerics=fast`: libvips has only these of Pillow's. */
export const fastFilters = [
  'nearest',
  'bilinear',
  'bicubic',
  'lanczos',
] as const satisfies readonly (typeof filters)[number][];
/** The filters of `numerics=torch`: torchvision antialiases uint8 by these, or picks the nearest pixel. */
const torchFilters = [
  'nearest',
  'bilinear',
  'bicubic',
  'lanczos',
] as const satisfies readonly (typeof filters)[number][];
/** The filters of `numerics=opencv`: INTER_NEAREST, INTER_AREA, INTER_LINEAR and INTER_CUBIC. */
const openCvFilters = [
  'nearest',
  'box',
  'bilinear',
  'bicubic',
] as const satisfies readonly (typeof filters)[number][];
/** Values of `numerics`, named as in image.v1.Numerics. */
export const numericsWords = ['exact', 'pillow', 'torch', 'opencv', 'fast'] as const;
/** The filters of each numerics that does not have all of them. */
export const limitedFilters = {
  torch: torchFilters,
  opencv: openCvFilters,
  fast: fastFilters,
} as const satisfies { readonly [name in (typeof numericsWords)[number]]?: readonly string[] };
/** Formats that images are written in. */
export const imageFormats = ['jpeg', 'png', 'webp'] as const;
/** Containers that tensors are written in. */
export const tensorContainers = [
  'raw',
  'npy',
  'safetensors',
  'npz',
  'vllm',
  'open_inference',
  'auto',
] as const;
/** Files of any number of tensors. */
export const namedContainers = [
  'safetensors',
  'npz',
] as const satisfies readonly (typeof tensorContainers)[number][];
/** Values of `format`; `source` is the source's own format. */
export const formats = ['source', ...imageFormats, ...tensorContainers] as const;
/** Values of `datatype`, named as in image.v1.Datatype. */
export const datatypes = ['uint8', 'fp16', 'fp32', 'bf16'] as const;

/** Limit of a side in pixels. The sides of a JPEG are 16-bit numbers. */
const longestSide = 65_535;

/** Limits of `dpi`, in dots per inch. A page of A4 has 46 million pixels at 600 dpi; MAX_SOURCE_PIXELS bounds every page. */
export const dpiLimits = { min: 1, max: 2400 } as const;

/** Pixels of a side. */
const side = integer(1, longestSide);

interface Option<Value> {
  readonly kind: Kind<Value>;
  /** One phrase for people; the unit where there is one. */
  readonly meaning: string;
  /** The field of image.v1.ProcessRequest that it stands for, as failures over gRPC name it. */
  readonly field: string;
  /**
   * The value where neither the request nor the environment gives one. Options without it have no effect unless they
   * are given.
   */
  readonly default?: Value;
}

/** The table of all options. The order is the one in which failures and documents list them. */
export const imageOptions = {
  page: {
    kind: pages,
    field: 'source_options.page',
    default: 1,
    meaning:
      'Page of a document, from 1. A list or range, such as 1-3,7, gives one output for each: a part of the response, or a file of a job, whose default is all',
  },
  dpi: {
    kind: numberFrom(dpiLimits.min, dpiLimits.max),
    field: 'source_options.dpi',
    default: 144,
    meaning: "Resolution at which a document's page is drawn: points × dpi / 72 pixels, rounded up",
  },
  page_box: {
    kind: word(['crop', 'media']),
    field: 'source_options.page_box',
    default: 'crop',
    meaning: "Part of a document's page: what viewers show, or the whole sheet",
  },
  annotations: {
    kind: boolean,
    field: 'source_options.annotations',
    default: true,
    meaning: "Whether a document's annotations are drawn",
  },
  scale: { kind: boolean, field: 'resize', default: true, meaning: 'Whether to resize at all' },
  width: {
    kind: side,
    field: 'width',
    default: 1024,
    meaning: 'Width in pixels; without height, the height is in proportion and fit has no effect',
  },
  height: {
    kind: side,
    field: 'height',
    default: 768,
    meaning: 'Height in pixels; without width, the width is in proportion and fit has no effect',
  },
  shortest_edge: {
    kind: side,
    field: 'shortest_edge',
    meaning: 'Instead of width and height: the shorter side in pixels, the longer one in proportion',
  },
  crop_width: {
    kind: side,
    field: 'crop.width',
    meaning: 'Width in pixels to cut out of the middle after the resize',
  },
  crop_height: {
    kind: side,
    field: 'crop.height',
    meaning: 'Height in pixels to cut out of the middle after the resize',
  },
  fit: { kind: word(fits), field: 'fit', default: 'fill', meaning: 'How the image meets width × height' },
  filter: {
    kind: word(filters),
    field: 'filter',
    default: 'bilinear',
    meaning: 'Resampling filter, as in Pillow',
  },
  grayscale: {
    kind: boolean,
    field: 'grayscale',
    default: true,
    meaning: 'One channel of Rec. 601 luma, computed after the resize',
  },
  format: {
    kind: word(formats),
    field: 'format',
    default: 'source',
    meaning: "Image format of the response (source: the source's own), or the container of a tensor",
  },
  quality: {
    kind: integer(1, 100),
    field: 'quality',
    meaning: 'Quality of a JPEG (default 90) or WebP (default 80)',
  },
  numerics: {
    kind: word(numericsWords),
    field: 'numerics',
    default: 'exact',
    meaning:
      "Whose pixels: pillow, torch or opencv, to the last bit; exact: the preset's library, Pillow's without one; fast: libvips' shrinking decode",
  },
  background: {
    kind: colour,
    field: 'background',
    meaning: 'Colour behind transparent pixels and in the bars of fit=contain',
  },
  orientation: {
    kind: word(['apply', 'ignore']),
    field: 'orientation',
    default: 'apply',
    meaning: "Whether EXIF's orientation turns the image upright before anything else",
  },
  alpha: {
    kind: word(['default', 'drop', 'white', 'black']),
    field: 'alpha',
    default: 'default',
    meaning:
      "Transparency: drop it, or draw the image over white or black; default: the preset's treatment, else over background, else kept if the format stores it",
  },
  preset: {
    kind: text('the name of a preset', 200),
    field: 'preset',
    meaning:
      "A model's own preprocessing by name, such as clip-vit-base-patch32; the response is npy by default, npz for several tensors",
  },
  preprocessor_config: {
    kind: text('the JSON of a preprocessor_config.json'),
    field: 'preprocessor_config',
    meaning:
      "The same from a Hugging Face preprocessor_config.json, timm's config.json or open_clip_config.json, as it is",
  },
  imgsz: {
    kind: heightAndWidth(1, longestSide),
    field: 'preset_settings.imgsz_height',
    meaning:
      "A YOLO preset's input size in pixels: one number or height,width, rounded up to whole strides (default: the preset's)",
  },
  stride: {
    kind: side,
    field: 'preset_settings.stride',
    meaning: "A YOLO preset's stride in pixels (default: the preset's, 32 or 64)",
  },
  rect: {
    kind: boolean,
    field: 'preset_settings.rect',
    meaning:
      'Whether a YOLO preset pads only to whole strides, as Ultralytics does for a .pt model, instead of to imgsz (default false)',
  },
  datatype: {
    kind: word(datatypes),
    field: 'datatype',
    default: 'fp32',
    meaning: "Type of a tensor's values",
  },
  pixels: {
    kind: word(['normalized', 'uint8']),
    field: 'pixels',
    default: 'normalized',
    meaning: "A tensor's values: rescaled and normalized, or the pixels before that as uint8",
  },
  layout: {
    kind: word(['nchw', 'nhwc']),
    field: 'layout',
    default: 'nchw',
    meaning: "Order of a tensor's axes",
  },
  rescale: {
    kind: finiteNumber,
    field: 'rescale_factor',
    default: 1 / 255,
    meaning: "Factor on a tensor's values before mean and std (default 1/255 = 0.00392156862745098)",
  },
  mean: {
    kind: finiteNumbers,
    field: 'mean',
    default: [0],
    meaning: "Subtracted from a tensor's values: one value, or one per channel",
  },
  std: {
    kind: finiteNumbers,
    field: 'std',
    default: [1],
    meaning: "Divides a tensor's values: one value, or one per channel",
  },
  channel_order: {
    kind: word(['rgb', 'bgr']),
    field: 'channel_order',
    default: 'rgb',
    meaning: "Order of a tensor's colour channels",
  },
  store: {
    kind: word(['true', 'false', 'wait']),
    field: 'store.store',
    meaning:
      "Whether the response is kept in the service's object storage; wait: before it is sent (default: as the service's STORE_MODE decides)",
  },
  store_link: {
    kind: integer(1, 604_800),
    field: 'store.link_seconds',
    meaning:
      "Lifetime in seconds of a link to the kept response, in the header Image-Stored-Link; at most the service's STORE_LINK_MAX_SECONDS",
  },
} as const satisfies Readonly<Record<string, Option<unknown>>>;

/** The name of an option, as in a query or a form; a flag has dashes instead of underscores. */
export type OptionName = keyof typeof imageOptions;

/** The values of an option. */
export type OptionValue<Name extends OptionName> =
  (typeof imageOptions)[Name]['kind'] extends Kind<infer Value> ? Value : never;

/** Options with their values. All may be missing. */
export type ImageOptions = { readonly [name in OptionName]?: OptionValue<name> | undefined };

/** The names of all options, in the order of the table. */
export const imageOptionNames = Object.keys(imageOptions) as OptionName[];

/** Whether a text is the name of an option. */
export function isOptionName(name: string): name is OptionName {
  return Object.hasOwn(imageOptions, name);
}

/** The options for which a service has defaults of its own, from its environment. */
export type ImageDefaults = {
  readonly [name in
    | 'scale'
    | 'width'
    | 'height'
    | 'fit'
    | 'filter'
    | 'grayscale'
    | 'format'
    | 'numerics']: OptionValue<name>;
} & { readonly quality: number | undefined };

/** The defaults that the checking side knows: the client does not know those of an image-api. */
export type KnownDefaults = { readonly [name in keyof ImageDefaults]?: ImageDefaults[name] | undefined };

/** The defaults of image-api where its environment sets none, and those of the client's jobs. */
export const standardDefaults = {
  scale: imageOptions.scale.default,
  width: imageOptions.width.default,
  height: imageOptions.height.default,
  fit: imageOptions.fit.default,
  filter: imageOptions.filter.default,
  grayscale: imageOptions.grayscale.default,
  format: imageOptions.format.default,
  numerics: imageOptions.numerics.default,
  quality: undefined,
} as const satisfies ImageDefaults;

/** The value of `format` beside a preset, where the request gives none: a container for the number of its tensors. */
export const presetFormat = 'auto';
