import {
  filters,
  type ImageOptions,
  imageFormats,
  imageOptionNames,
  imageOptions,
  limitedFilters,
  type OptionName,
  tensorContainers,
} from './image-options.ts';

/*
 * Which options go together: the one table of these rules. image-api and the client refuse a request by it, the processor
 * refuses a message by it, the playground hides fields by it, and OpenAPI and docs/http-api.md describe it.
 */

/** A rule by which options are refused. The conditions that a rule names hold together. */
export interface Rule {
  /** The options that it refuses, in the order in which they are looked at. */
  readonly refuses: readonly OptionName[];
  /** Refuses only these values, given or by default. Unset: every value that is given. */
  readonly values?: readonly unknown[];
  /** Applies where one of these options is given. */
  readonly beside?: readonly OptionName[];
  /** Values of these options that do not count as given. */
  readonly ignores?: readonly unknown[];
  /** Applies where this option is not given. */
  readonly without?: OptionName;
  /** Applies where an option has one of these values, given or by default. */
  readonly when?: { readonly option: OptionName; readonly in: readonly unknown[] };
  /** The allowed alternatives; they follow the option's name and "allowed: ". */
  readonly allowed: string;
  /** The rule as a phrase after the option's meaning, for documents. */
  readonly phrase: string;
  /** The failure's message. Unset: the option, its value and what is allowed. */
  readonly message?: (option: OptionName, inForce: ImageOptions) => string;
  /** The same in the words of image.v1.ProcessRequest, where they differ. */
  readonly inMessage?: {
    readonly allowed: string;
    /** The option that the failure names, where it is not the refused one. */
    readonly option?: OptionName;
    /** Names the message (`crop`) that contains the field (`crop.width`). */
    readonly isWhole?: true;
    /** The value, where it is not the option's word. */
    readonly actual?: string;
  };
}

/** The options of a tensor output. */
const tensorOptions = [
  'datatype',
  'pixels',
  'layout',
  'rescale',
  'mean',
  'std',
  'channel_order',
] as const satisfies readonly OptionName[];

/** The options of a resize. */
export const resizeOptions = [
  'width',
  'height',
  'fit',
  'filter',
  'shortest_edge',
] as const satisfies readonly OptionName[];

/** The settings that some presets have. The processor refuses them beside all others. */
const presetSettings = ['imgsz', 'stride', 'rect'] as const satisfies readonly OptionName[];

/** How a page of a document is drawn. Whether the source is one, only the processor knows. */
const pageOptions = ['page', 'dpi', 'page_box', 'annotations'] as const satisfies readonly OptionName[];

/** Where the response goes besides its caller. */
const storeOptions = ['store', 'store_link'] as const satisfies readonly OptionName[];

/** The options that may be given beside a preset. */
const presetCompanions = [
  'preset',
  'preprocessor_config',
  ...presetSettings,
  'format',
  'quality',
  'numerics',
  'orientation',
  'alpha',
  'datatype',
  'pixels',
  'layout',
  ...pageOptions,
  ...storeOptions,
] as const satisfies readonly OptionName[];

const tensorFormats = tensorContainers.join(', ');

/** The rules, in the order in which they are checked. */
export const rules: readonly Rule[] = [
  {
    refuses: imageOptionNames.filter((name) => !presetCompanions.some((each) => each === name)),
    beside: ['preset', 'preprocessor_config'],
    allowed: `none beside a preset; only ${presetCompanions.join(', ')}`,
    phrase: 'not beside a preset',
    message: (option) => `A preset determines ${option}; leave one of them out.`,
    inMessage: { allowed: 'unset, because the preset says it', isWhole: true, actual: 'set' },
  },
  {
    refuses: resizeOptions,
    when: { option: 'scale', in: [false] },
    allowed: 'only with scale=true',
    phrase: 'not with scale=false',
    message: (option) => `${option} has no effect with scale=false; leave one of them out.`,
  },
  {
    refuses: ['width', 'height'],
    beside: ['shortest_edge'],
    allowed: 'none beside shortest_edge',
    phrase: 'not beside shortest_edge',
    message: (option) => `${option} has no effect beside shortest_edge; leave one of them out.`,
    inMessage: { option: 'shortest_edge', allowed: 'unset beside width and height' },
  },
  {
    refuses: ['fit'],
    beside: ['shortest_edge'],
    allowed: 'none beside shortest_edge',
    phrase: 'not beside shortest_edge',
    message: (option) => `${option} has no effect beside shortest_edge; leave one of them out.`,
    inMessage: { allowed: 'unset beside shortest_edge' },
  },
  {
    refuses: ['store_link'],
    when: { option: 'store', in: ['false'] },
    allowed: 'none with store=false',
    phrase: 'not with store=false',
    message: () => 'store_link has no effect with store=false; leave one of them out.',
  },
  {
    refuses: ['crop_width'],
    without: 'crop_height',
    allowed: 'with crop_height',
    phrase: 'only with crop_height',
    message: () => 'crop_width is given and crop_height is not; give both.',
  },
  {
    refuses: ['crop_height'],
    without: 'crop_width',
    allowed: 'with crop_width',
    phrase: 'only with crop_width',
    message: () => 'crop_height is given and crop_width is not; give both.',
  },
  {
    refuses: tensorOptions,
    when: { option: 'format', in: ['source', ...imageFormats] },
    allowed: `only with format ${tensorFormats}`,
    phrase: `only with format ${tensorFormats}`,
    message: (option, { format }) =>
      `${option} belongs to a tensor and format is ${format}; ask for format ${tensorFormats}.`,
  },
  {
    refuses: ['quality'],
    when: { option: 'format', in: ['png', ...tensorContainers] },
    allowed: 'only with format jpeg, webp, source',
    phrase: 'only with format jpeg, webp, source',
    message: (_, { format }) =>
      `quality is for JPEG and WebP and format is ${format}; leave quality out or ask for another format.`,
    inMessage: { allowed: 'none: PNG is lossless' },
  },
  {
    refuses: ['preset'],
    beside: ['preprocessor_config'],
    allowed: 'none beside a preprocessor_config',
    phrase: 'not beside preprocessor_config',
  },
  {
    refuses: presetSettings,
    without: 'preset',
    allowed: 'only with a preset that has it, such as ultralytics/yolo',
    phrase: 'only with a preset that has it, such as ultralytics/yolo',
    message: (option) =>
      `${option} belongs to a preset such as ultralytics/yolo; name one, or leave ${option} out.`,
  },
  {
    refuses: ['datatype'],
    values: ['uint8'],
    beside: ['rescale', 'mean', 'std'],
    ignores: [1],
    allowed: 'fp16, fp32 or bf16 with rescale, mean or std',
    phrase: 'uint8 not with rescale, mean or std',
    inMessage: { actual: 'UINT8', allowed: 'FP16, FP32 or BF16 with rescale_factor, mean or std' },
  },
  {
    refuses: ['pixels'],
    values: ['uint8'],
    beside: ['rescale', 'mean', 'std'],
    ignores: [1],
    allowed: 'normalized with rescale, mean or std',
    phrase: 'uint8 not with rescale, mean or std',
    inMessage: { actual: 'PIXELS_UINT8', allowed: 'PIXELS_NORMALIZED with rescale_factor, mean or std' },
  },
  {
    refuses: ['datatype'],
    values: ['fp16', 'fp32', 'bf16'],
    when: { option: 'pixels', in: ['uint8'] },
    allowed: 'uint8 with pixels=uint8',
    phrase: 'only uint8 with pixels=uint8',
    inMessage: { allowed: 'UINT8 with PIXELS_UINT8' },
  },
  {
    refuses: ['alpha'],
    values: ['drop', 'white', 'black'],
    beside: ['background'],
    allowed: 'default beside background, which is drawn behind transparent pixels',
    phrase: 'only default beside background',
    inMessage: { allowed: 'ALPHA_DEFAULT beside background, which is drawn behind transparent pixels' },
  },
  {
    refuses: ['layout'],
    when: { option: 'format', in: ['vllm'] },
    allowed: 'none with format vllm',
    phrase: 'not with format vllm',
  },
  {
    refuses: ['datatype'],
    values: ['bf16'],
    when: { option: 'format', in: ['npy', 'npz'] },
    allowed: 'uint8, fp16 or fp32 in npy and npz: NumPy has no bfloat16; use raw or safetensors',
    phrase: 'bf16 not with format npy or npz',
    inMessage: {
      actual: 'BF16',
      allowed: 'UINT8, FP16 or FP32 in npy and npz: NumPy has no bfloat16; use raw or safetensors',
    },
  },
  ...Object.entries(limitedFilters).map(
    ([numerics, allowed]): Rule => ({
      refuses: ['filter'],
      values: filters.filter((filter) => !allowed.some((each) => each === filter)),
      when: { option: 'numerics', in: [numerics] },
      allowed: `one of ${allowed.join(', ')} with ${numerics} numerics`,
      phrase: `only ${allowed.join(', ')} with numerics=${numerics}`,
    }),
  ),
];

/** An option in one sentence: its meaning, and the rules that refuse it. */
export function describeOption(name: OptionName): string {
  const phrases = rules.filter(({ refuses }) => refuses.includes(name)).map(({ phrase }) => phrase);
  return [imageOptions[name].meaning, ...new Set(phrases)].join('; ');
}
