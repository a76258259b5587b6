import {
  imageFormats,
  imageOptions,
  type OptionName,
  presetFormat,
  standardDefaults,
  tensorContainers,
} from '../../options/image-options.ts';

/** The options that the form has a field of the same name for. Its choice of size stands for `scale`. */
type FormOption = Exclude<
  OptionName,
  'scale' | 'grayscale' | 'rect' | 'annotations' | 'store' | 'store_link'
>;

/**
 * The values of the form: its own choices, and the options as they are typed. `format` is that of an image; a tensor's
 * is `container`.
 */
export type Settings = { readonly [name in FormOption]: string } & {
  readonly recipe: 'own' | 'preset' | 'config';
  readonly sizing: 'box' | 'shortest_edge' | 'source';
  readonly annotations: boolean;
  readonly grayscale: boolean;
  readonly rect: boolean;
  readonly output: 'image' | 'tensor';
  readonly container: string;
};

/** A configuration to begin with: that of openai/clip-vit-base-patch32, at twice its size. */
const exampleConfig = JSON.stringify(
  {
    image_processor_type: 'CLIPImageProcessor',
    size: { shortest_edge: 448 },
    crop_size: { height: 448, width: 448 },
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
  },
  undefined,
  2,
);

/** The settings of a document's page, which a picture does not have. */
export const initialPage = {
  page: String(imageOptions.page.default),
  dpi: String(imageOptions.dpi.default),
  page_box: imageOptions.page_box.default,
  annotations: imageOptions.annotations.default,
} as const;

/** The values of the form until the service has sent its defaults. */
export const initialSettings: Settings = {
  ...initialPage,
  recipe: 'preset',
  preset: 'openai/clip-vit-base-patch32',
  preprocessor_config: exampleConfig,
  imgsz: '',
  stride: '',
  rect: false,
  sizing: 'box',
  width: String(standardDefaults.width),
  height: String(standardDefaults.height),
  shortest_edge: '256',
  fit: standardDefaults.fit,
  filter: standardDefaults.filter,
  crop_width: '',
  crop_height: '',
  grayscale: standardDefaults.grayscale,
  background: '',
  orientation: imageOptions.orientation.default,
  alpha: imageOptions.alpha.default,
  numerics: standardDefaults.numerics,
  output: 'tensor',
  format: standardDefaults.format,
  quality: '',
  container: presetFormat,
  datatype: imageOptions.datatype.default,
  pixels: imageOptions.pixels.default,
  layout: imageOptions.layout.default,
  rescale: '',
  mean: '',
  std: '',
  channel_order: imageOptions.channel_order.default,
};

/** The words of the form's own choices. Those of options are in the table of options. */
export const settingWords: { readonly [name in keyof Settings]?: readonly string[] } = {
  recipe: ['preset', 'config', 'own'],
  sizing: ['box', 'shortest_edge', 'source'],
  output: ['image', 'tensor'],
  format: ['source', ...imageFormats],
  container: tensorContainers,
};

/** Settings for a lossless picture of the same pixels: PNG, before a tensor's values are rescaled. */
export function asPng(settings: Settings, numerics: string): Settings {
  return { ...settings, numerics, output: 'image', format: 'png', quality: '' };
}

/** Settings for the tensor, also where an image is chosen as output. */
export function asTensor(settings: Settings): Settings {
  return { ...settings, output: 'tensor' };
}

/** Settings for the tensor of the same pixels as FP32 in NCHW, in the model's own order of channels, as npy. */
export function asPlanes(settings: Settings): Settings {
  return { ...settings, output: 'tensor', container: 'npy', datatype: 'fp32', layout: 'nchw' };
}
