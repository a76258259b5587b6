import { create } from '@bufbuild/protobuf';
import {
  Alpha,
  ChannelOrder,
  Datatype,
  Filter,
  Fit,
  ImageFormat,
  ImageOutputSchema,
  Layout,
  Numerics,
  Orientation,
  PageBox,
  Pixels,
  type PresetSettings,
  type ProcessRequest,
  ProcessRequestSchema,
  type SourceOptions,
  Store,
  type StoreOptions,
  TensorContainer,
  type TensorOutput,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { clashFailure, findClash } from './clash.ts';
import { enumValue, enumWord } from './contract-words.ts';
import {
  datatypes,
  filters,
  fits,
  type ImageDefaults,
  type ImageOptions,
  imageFormats,
  imageOptions,
  standardDefaults,
  tensorContainers,
} from './image-options.ts';
import { invalidOption } from './invalid-option.ts';
import { isPreset, optionsInForce } from './options-in-force.ts';
import { pagesText } from './pages.ts';

/*
 * Options as the processor's request, and a request as the options that it gives.
 */

/**
 * The processor's request for some options.
 *
 * @param given - by the caller
 * @param defaults - for what the caller left out
 * @throws Failure OPTION_INVALID for options that do not go together, and for several pages
 */
export function processRequest(
  source: ProcessRequest['source'],
  given: ImageOptions,
  defaults: ImageDefaults,
): ProcessRequest {
  const clash = findClash(given, defaults);
  if (clash !== undefined) throw clashFailure(clash);
  const options = optionsInForce(given, defaults);
  return create(ProcessRequestSchema, {
    source,
    ...sourceOptionsField(options),
    ...storeField(options),
    ...(isPreset(given)
      ? {
          preset: options.preset ?? '',
          preprocessorConfig: options.preprocessor_config ?? '',
          ...presetSettingsField(options),
        }
      : { ...pixelFields(options), background: options.background ?? '' }),
    orientation: enumValue(Orientation, options.orientation ?? 'unspecified'),
    alpha: enumValue(Alpha, options.alpha ?? 'unspecified'),
    output: outputField(options),
    numerics: enumValue(Numerics, options.numerics ?? standardDefaults.numerics),
  });
}

/** How a document's page is drawn, if anything about it is given. */
function sourceOptionsField({ page, dpi, page_box, annotations }: ImageOptions) {
  if (page === undefined && dpi === undefined && page_box === undefined && annotations === undefined)
    return {};
  if (typeof page === 'object') throw invalidOption('page', pagesText(page), 'one page');
  return {
    sourceOptions: {
      page: page ?? 0,
      dpi: dpi ?? 0,
      pageBox: enumValue(PageBox, page_box ?? 'unspecified'),
      ...(annotations !== undefined && { annotations }),
    },
  };
}

const storeValues = { true: Store.YES, false: Store.NO, wait: Store.WAIT } as const;

/** Whether the response is kept, if the request says it. */
function storeField({ store, store_link }: ImageOptions) {
  if (store === undefined && store_link === undefined) return {};
  return {
    store: {
      store: store === undefined ? Store.UNSPECIFIED : storeValues[store],
      linkSeconds: store_link ?? 0,
    },
  };
}

/** The settings of a preset, if one is given. */
function presetSettingsField({ imgsz, stride, rect }: ImageOptions) {
  if (imgsz === undefined && stride === undefined && rect === undefined) return {};
  const [imgszHeight = 0, imgszWidth = 0] = imgsz ?? [];
  return {
    presetSettings: { imgszHeight, imgszWidth, stride: stride ?? 0, ...(rect !== undefined && { rect }) },
  };
}

function pixelFields({ crop_width, crop_height, ...options }: ImageOptions) {
  return {
    ...(options.scale === true && { resize: resizeField(options) }),
    ...(crop_width !== undefined &&
      crop_height !== undefined && { crop: { width: crop_width, height: crop_height } }),
    grayscale: options.grayscale ?? false,
  };
}

function resizeField({ width, height, shortest_edge, fit, filter }: ImageOptions) {
  return {
    width: width ?? 0,
    height: height ?? 0,
    shortestEdge: shortest_edge ?? 0,
    fit: fit === undefined ? Fit.UNSPECIFIED : enumValue(Fit, fit),
    filter: filter === undefined ? Filter.UNSPECIFIED : enumValue(Filter, filter),
  };
}

function outputField(options: ImageOptions): ProcessRequest['output'] {
  const container = tensorContainers.find((name) => name === options.format);
  if (container !== undefined) return { case: 'tensor', value: tensorOutput(options, container) };
  const format = imageFormats.find((name) => name === options.format);
  return {
    case: 'image',
    value: create(ImageOutputSchema, {
      format: enumValue(ImageFormat, format ?? 'unspecified'),
      quality: options.quality ?? 0,
    }),
  };
}

function tensorOutput(options: ImageOptions, container: (typeof tensorContainers)[number]): TensorOutput {
  return create(TensorOutputSchema, {
    datatype: enumValue(Datatype, options.datatype ?? 'unspecified'),
    pixels: enumValue(Pixels, options.pixels ?? 'unspecified'),
    layout: enumValue(Layout, options.layout ?? 'unspecified'),
    ...(options.rescale !== undefined && { rescaleFactor: options.rescale }),
    mean: [...(options.mean ?? [])],
    std: [...(options.std ?? [])],
    channelOrder: enumValue(ChannelOrder, options.channel_order ?? 'unspecified'),
    container: enumValue(TensorContainer, container),
  });
}

/** The defaults of fields that a message leaves unset: the processor keeps size and colours. */
export const messageDefaults = {
  ...standardDefaults,
  scale: false,
  width: undefined,
  height: undefined,
  grayscale: false,
} satisfies Record<keyof ImageDefaults, unknown>;

/**
 * The options that a message gives: the fields that are set, by the names of the options. Values that an option does not
 * have are left out.
 */
export function optionsOfMessage(request: ProcessRequest): ImageOptions {
  const { sourceOptions, resize, crop, preset, preprocessorConfig, presetSettings, background, grayscale } =
    request;
  const { store } = request;
  return {
    ...(sourceOptions !== undefined && pageOptionsOf(sourceOptions)),
    ...(store !== undefined && storeOptionsOf(store)),
    ...(resize !== undefined && {
      scale: true,
      width: resize.width || undefined,
      height: resize.height || undefined,
      shortest_edge: resize.shortestEdge || undefined,
      fit: enumWord(Fit, fits, resize.fit),
      filter: enumWord(Filter, filters, resize.filter),
    }),
    ...(crop !== undefined && { crop_width: crop.width, crop_height: crop.height }),
    grayscale: grayscale || undefined,
    background: background || undefined,
    orientation: enumWord(Orientation, imageOptions.orientation.kind.words, request.orientation),
    alpha: enumWord(Alpha, imageOptions.alpha.kind.words, request.alpha),
    preset: preset || undefined,
    preprocessor_config: preprocessorConfig || undefined,
    ...(presetSettings !== undefined && settingsOptions(presetSettings)),
    numerics: enumWord(Numerics, imageOptions.numerics.kind.words, request.numerics),
    ...outputOptions(request.output),
  };
}

function pageOptionsOf({ page, dpi, pageBox, annotations }: SourceOptions): ImageOptions {
  return {
    page: page || undefined,
    dpi: dpi || undefined,
    page_box: enumWord(PageBox, imageOptions.page_box.kind.words, pageBox),
    annotations,
  };
}

function storeOptionsOf({ store, linkSeconds }: StoreOptions): ImageOptions {
  const [word] = Object.entries(storeValues).find(([, value]) => value === store) ?? [];
  return { store: word as ImageOptions['store'], store_link: linkSeconds || undefined };
}

function settingsOptions({ imgszHeight, imgszWidth, stride, rect }: PresetSettings): ImageOptions {
  const imgsz = imgszWidth === 0 ? [imgszHeight] : [imgszHeight, imgszWidth];
  return {
    imgsz: imgszHeight + imgszWidth === 0 ? undefined : imgsz,
    stride: stride || undefined,
    rect,
  };
}

function outputOptions(output: ProcessRequest['output']): ImageOptions {
  if (output.case === 'image') {
    const { format, quality } = output.value;
    return { format: enumWord(ImageFormat, imageFormats, format) ?? 'source', quality: quality || undefined };
  }
  if (output.case !== 'tensor') return {};
  const { datatype, layout, pixels, rescaleFactor, mean, std, channelOrder, container } = output.value;
  return {
    format: enumWord(TensorContainer, tensorContainers, container) ?? 'raw',
    datatype: enumWord(Datatype, datatypes, datatype),
    pixels: enumWord(Pixels, imageOptions.pixels.kind.words, pixels),
    layout: enumWord(Layout, imageOptions.layout.kind.words, layout),
    rescale: rescaleFactor,
    mean: mean.length === 0 ? undefined : mean,
    std: std.length === 0 ? undefined : std,
    channel_order: enumWord(ChannelOrder, imageOptions.channel_order.kind.words, channelOrder),
  };
}
