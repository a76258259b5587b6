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
import type { Settings } from './settings.ts';

/*
 * The form's settings as the two doors take them. A test holds the two equal, through the API's own reading
 * of options, so that what is copied is what is seen.
 */

/** The options of the HTTP API. All that matters is said, because the environment's defaults may differ. */
export function optionsOf(settings: Settings): [name: string, value: string][] {
  const own: [string, string][] = [
    ...sizeOptions(settings),
    ['crop_width', settings.cropWidth],
    ['crop_height', settings.cropHeight],
    ['grayscale', String(settings.grayscale)],
    ['background', settings.background],
  ];
  const options: [string, string][] = [
    ...(settings.recipe === 'preset' ? [['preset', settings.preset] as [string, string]] : own),
    ...outputOptions(settings),
    ['numerics', settings.numerics],
  ];
  return options.filter(([, value]) => value !== '');
}

function sizeOptions(settings: Settings): [string, string][] {
  switch (settings.sizing) {
    case 'source':
      return [['scale', 'false']];
    case 'shortest_edge':
      return [
        ['shortest_edge', settings.shortestEdge],
        ['filter', settings.filter],
      ];
    case 'box':
      return [
        ['width', settings.width],
        ['height', settings.height],
        ['fit', settings.fit],
        ['filter', settings.filter],
      ];
  }
}

function outputOptions(settings: Settings): [string, string][] {
  if (settings.output === 'image') {
    return [
      ['format', settings.format],
      ['quality', settings.format === 'png' ? '' : settings.quality],
    ];
  }
  const own: [string, string][] = [
    ['rescale', settings.rescale],
    ['mean', settings.mean],
    ['std', settings.std],
    ['channel_order', settings.channelOrder],
  ];
  return [
    ['format', settings.container],
    ['datatype', settings.datatype],
    ['layout', settings.layout],
    ...(settings.recipe === 'preset' ? [] : own),
  ];
}

/**
 * The message, without its source.
 *
 * @throws Failure OPTION_INVALID for what is no number; the service judges the numbers
 */
export function requestOf(settings: Settings): ProcessRequest {
  const numerics = named(Numerics, settings.numerics);
  if (settings.recipe === 'preset') {
    return create(ProcessRequestSchema, { preset: settings.preset, output: outputOf(settings), numerics });
  }
  return create(ProcessRequestSchema, {
    ...resizeOf(settings),
    ...cropOf(settings),
    grayscale: settings.grayscale,
    output: outputOf(settings),
    numerics,
    background: settings.background.toLowerCase(),
  });
}

function resizeOf(settings: Settings) {
  const filter = named(Filter, settings.filter);
  switch (settings.sizing) {
    case 'source':
      return {};
    case 'shortest_edge':
      return { resize: { shortestEdge: pixels('shortest_edge', settings.shortestEdge), filter } };
    case 'box':
      return {
        resize: {
          width: pixels('width', settings.width),
          height: pixels('height', settings.height),
          fit: named(Fit, settings.fit),
          filter,
        },
      };
  }
}

function cropOf({ cropWidth, cropHeight }: Settings) {
  if (cropWidth === '' && cropHeight === '') return {};
  return { crop: { width: pixels('crop_width', cropWidth), height: pixels('crop_height', cropHeight) } };
}

function outputOf(settings: Settings): ProcessRequest['output'] {
  if (settings.output === 'tensor') return { case: 'tensor', value: tensorOf(settings) };
  const { format, quality } = settings;
  return {
    case: 'image',
    value: create(ImageOutputSchema, {
      format: format === 'source' ? ImageFormat.UNSPECIFIED : named(ImageFormat, format),
      quality: quality === '' || format === 'png' ? 0 : percent(quality),
    }),
  };
}

function tensorOf(settings: Settings): TensorOutput {
  const common = {
    datatype: named(Datatype, settings.datatype),
    layout: named(Layout, settings.layout),
    container: named(TensorContainer, settings.container),
  };
  if (settings.recipe === 'preset') return create(TensorOutputSchema, common);
  return create(TensorOutputSchema, {
    ...common,
    ...(settings.rescale.trim() === '' ? {} : { rescaleFactor: number('rescale', settings.rescale) }),
    mean: numbers('mean', settings.mean),
    std: numbers('std', settings.std),
    channelOrder: named(ChannelOrder, settings.channelOrder),
  });
}

/** The contract's value of an option's word. */
function named<Values extends Readonly<Record<string, number>>>(
  values: Values,
  word: string,
): Values[keyof Values] {
  return values[word.toUpperCase()] as Values[keyof Values];
}

function pixels(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isInteger(value) && value >= 0 && value <= 65_535) return value;
  throw invalid(option, text, 'a whole number from 1 to 65535');
}

function percent(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= 100) return value;
  throw invalid('quality', text, 'a whole number from 1 to 100');
}

function number(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value)) return value;
  throw invalid(option, text, 'finite numbers with commas between them');
}

function numbers(option: string, text: string): number[] {
  return text.trim() === '' ? [] : text.split(',').map((part) => number(option, part));
}

function invalid(option: string, actual: string, allowed: string): Failure {
  return new Failure('OPTION_INVALID', `${option} is "${actual}"; allowed: ${allowed}.`, {
    option,
    actual,
    allowed,
  });
}
