import { create } from '@bufbuild/protobuf';
import {
  ChannelOrder,
  Datatype,
  Filter,
  Fit,
  ImageFormat,
  ImageOutputSchema,
  Layout,
  Numerics,
  type ProcessRequest,
  ProcessRequestSchema,
  TensorContainer,
  type TensorOutput,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import { type ImageOptions, imageFormats, imageOptionNames, tensorContainers } from './image-options.ts';

/*
 * Options as the processor's request: what goes together, and what stands in for the rest. The API and the client's
 * jobs have the same rules.
 */

/** The options that a request need not give, and what is taken for them then. */
export type ImageDefaults = {
  readonly [name in
    | 'scale'
    | 'width'
    | 'height'
    | 'fit'
    | 'filter'
    | 'grayscale'
    | 'format'
    | 'numerics']: NonNullable<ImageOptions[name]>;
} & { readonly quality: number | undefined };

/**
 * The processor's request: what was given, and the defaults for the rest.
 *
 * @throws Failure OPTION_INVALID for options that don't go together
 */
export function processRequest(
  source: ProcessRequest['source'],
  options: ImageOptions,
  defaults: ImageDefaults,
): ProcessRequest {
  if (options.preset !== undefined || options.preprocessor_config !== undefined) {
    return presetRequest(source, options, defaults);
  }
  return create(ProcessRequestSchema, {
    source,
    ...resizeOf(options, defaults),
    ...cropOf(options),
    grayscale: options.grayscale ?? defaults.grayscale,
    output: outputOf(options, defaults),
    numerics: named(Numerics, options.numerics ?? defaults.numerics),
    background: options.background ?? '',
  });
}

/** What may stand beside a preset: it says all the rest, and the environment's defaults are not for it. */
const besidePreset: readonly (keyof ImageOptions)[] = [
  ...(['preset', 'preprocessor_config', 'format', 'quality', 'numerics', 'datatype', 'layout'] as const),
];

function presetRequest(
  source: ProcessRequest['source'],
  options: ImageOptions,
  defaults: ImageDefaults,
): ProcessRequest {
  const other = imageOptionNames.find((name) => options[name] !== undefined && !besidePreset.includes(name));
  if (other !== undefined) {
    throw invalidOption(
      other,
      String(options[other]),
      `none beside a preset; only ${besidePreset.join(', ')}`,
      `${other} is what a preset says; leave one of them out.`,
    );
  }
  return create(ProcessRequestSchema, {
    source,
    preset: options.preset ?? '',
    preprocessorConfig: options.preprocessor_config ?? '',
    output: outputOf({ ...options, format: options.format ?? 'npy' }, defaults),
    numerics: named(Numerics, options.numerics ?? defaults.numerics),
  });
}

function cropOf({ crop_width, crop_height }: ImageOptions) {
  if (crop_width === undefined && crop_height === undefined) return {};
  if (crop_width !== undefined && crop_height !== undefined) {
    return { crop: { width: crop_width, height: crop_height } };
  }
  const [given, missing] =
    crop_width === undefined ? ['crop_height', 'crop_width'] : ['crop_width', 'crop_height'];
  const actual = String(crop_width ?? crop_height);
  throw invalidOption(
    given,
    actual,
    `with ${missing}`,
    `${given} is given and ${missing} is not; give both.`,
  );
}

const resizeOptions = ['width', 'height', 'fit', 'filter', 'shortest_edge'] as const;
const tensorOptions = ['datatype', 'layout', 'rescale', 'mean', 'std', 'channel_order'] as const;

function resizeOf(options: ImageOptions, defaults: ImageDefaults) {
  const asked = resizeOptions.find((name) => options[name] !== undefined);
  if (options.scale === false && asked !== undefined) {
    throw invalidOption(
      asked,
      String(options[asked]),
      'only with scale=true',
      `${asked} has no meaning with scale=false; leave one of them out.`,
    );
  }
  // Who gives a size wants it, whatever the environment says of those who don't.
  const scale = options.scale ?? (asked !== undefined || defaults.scale);
  if (!scale) return {};
  const filter = named(Filter, options.filter ?? defaults.filter);
  if (options.shortest_edge !== undefined) {
    const beside = (['width', 'height', 'fit'] as const).find((name) => options[name] !== undefined);
    if (beside === undefined) return { resize: { shortestEdge: options.shortest_edge, filter } };
    throw invalidOption(
      beside,
      String(options[beside]),
      'none beside shortest_edge',
      `${beside} has no meaning beside shortest_edge; leave one of them out.`,
    );
  }
  const { width, height } = options;
  // One side alone: the other one follows from the image, and there is no box that it could fit.
  if ((width === undefined) !== (height === undefined)) {
    return { resize: { width: width ?? 0, height: height ?? 0, filter } };
  }
  return {
    resize: {
      width: width ?? defaults.width,
      height: height ?? defaults.height,
      fit: named(Fit, options.fit ?? defaults.fit),
      filter,
    },
  };
}

function outputOf(options: ImageOptions, defaults: ImageDefaults): ProcessRequest['output'] {
  const format = options.format ?? defaults.format;
  const container = tensorContainers.find((name) => name === format);
  if (container !== undefined) {
    if (options.quality !== undefined) throw qualityWithout(format, options.quality);
    return { case: 'tensor', value: tensorOf(options, container) };
  }
  const asked = tensorOptions.find((name) => options[name] !== undefined);
  if (asked !== undefined) {
    throw invalidOption(
      asked,
      String(options[asked]),
      `only with format ${tensorContainers.join(', ')}`,
      `${asked} belongs to a tensor and format is ${format}; ask for format ${tensorContainers.join(', ')}.`,
    );
  }
  if (format === 'png' && options.quality !== undefined) throw qualityWithout(format, options.quality);
  const image = imageFormats.find((name) => name === format);
  // Left to the processor when the format is the source's own: only it knows which that is.
  const quality = options.quality ?? (format === 'png' ? undefined : defaults.quality);
  return {
    case: 'image',
    value: create(ImageOutputSchema, {
      format: named(ImageFormat, image ?? 'unspecified'),
      quality: quality ?? 0,
    }),
  };
}

function tensorOf(options: ImageOptions, container: (typeof tensorContainers)[number]): TensorOutput {
  return create(TensorOutputSchema, {
    datatype: named(Datatype, options.datatype ?? 'unspecified'),
    layout: named(Layout, options.layout ?? 'unspecified'),
    ...(options.rescale === undefined ? {} : { rescaleFactor: options.rescale }),
    mean: options.mean ?? [],
    std: options.std ?? [],
    channelOrder: named(ChannelOrder, options.channel_order ?? 'unspecified'),
    container: named(TensorContainer, container),
  });
}

/** The failure of an option's value. */
export function invalidOption(option: string, actual: string, allowed: string, message: string): Failure {
  return new Failure('OPTION_INVALID', message, { option, actual: shown(actual), allowed });
}

function qualityWithout(format: string, quality: number): Failure {
  return invalidOption(
    'quality',
    String(quality),
    'only with format jpeg, webp, source',
    `quality is for JPEG and WebP and format is ${format}; leave quality out or ask for another format.`,
  );
}

/** A caller's text, short enough to be repeated to it. */
export function shown(text: string): string {
  return text.length <= 100 ? text : `${text.slice(0, 100)}…`;
}

/** The contract's value of an option's word: the same word in capitals, and the compiler knows that it exists. */
function named<Word extends string, Values extends Readonly<Record<Uppercase<Word>, number>>>(
  values: Values,
  word: Word,
): Values[Uppercase<Word>] {
  return values[word.toUpperCase() as Uppercase<Word>];
}
