import { clone, equals } from '@bufbuild/protobuf';
import {
  Alpha,
  ChannelOrder,
  Datatype,
  Filter,
  Fit,
  Layout,
  Numerics,
  Orientation,
  type ProcessRequest,
  ProcessRequestSchema,
  TensorContainer,
} from '../../../gen/image/v1/processor_pb.ts';
import type { ImageDefaults } from '../../options/image-options.ts';
import { processRequest } from '../../options/image-request.ts';
import { type OptionTexts, parseOptions } from '../../options/parse-options.ts';
import { optionsOf, requestOf } from '../form/request.ts';
import type { Settings } from '../form/settings.ts';

/**
 * The options that a call over HTTP needs: each of the form's options without which image-api would send the processor
 * another request.
 *
 * @throws Failure OPTION_INVALID as requestOf
 */
export function minimalOptions(settings: Settings, defaults: ImageDefaults): OptionTexts {
  const wanted = minimalRequest(settings);
  const all = optionsOf(settings);
  // Width and height last, so that they are what turns `scale` on; and only together, because one without the other means
  // that the size is in proportion.
  const others = all.map(([name]) => name).filter((name) => name !== 'width' && name !== 'height');
  const candidates = [...others.map((name) => [name]), ['width', 'height']];
  return candidates.reduce((kept, names) => {
    const fewer = kept.filter(([name]) => !names.includes(name));
    return isRequest(wanted, fewer, defaults) ? fewer : kept;
  }, all);
}

/**
 * The message that a call over gRPC needs, without its source: fields that equal the contract's defaults are unset.
 *
 * @throws Failure OPTION_INVALID as requestOf
 */
export function minimalRequest(settings: Settings): ProcessRequest {
  return withoutDefaults(requestOf(settings));
}

function isRequest(wanted: ProcessRequest, options: OptionTexts, defaults: ImageDefaults): boolean {
  try {
    const request = processRequest({ case: undefined }, parseOptions(options).values, defaults);
    return equals(ProcessRequestSchema, withoutDefaults(request), wanted);
  } catch {
    // The option that was left out is one that the others require.
    return false;
  }
}

/** A copy without the values that the contract gives to fields that are unset. */
function withoutDefaults(request: ProcessRequest): ProcessRequest {
  const message = clone(ProcessRequestSchema, request);
  if (message.numerics === Numerics.EXACT) message.numerics = Numerics.UNSPECIFIED;
  if (message.orientation === Orientation.APPLY) message.orientation = Orientation.UNSPECIFIED;
  if (message.alpha === Alpha.DEFAULT) message.alpha = Alpha.UNSPECIFIED;
  const { resize, output } = message;
  if (resize?.fit === Fit.FILL) resize.fit = Fit.UNSPECIFIED;
  if (resize?.filter === Filter.BILINEAR) resize.filter = Filter.UNSPECIFIED;
  if (output.case === 'tensor') {
    const tensor = output.value;
    if (tensor.datatype === Datatype.FP32) tensor.datatype = Datatype.UNSPECIFIED;
    if (tensor.layout === Layout.NCHW) tensor.layout = Layout.UNSPECIFIED;
    if (tensor.channelOrder === ChannelOrder.RGB) tensor.channelOrder = ChannelOrder.UNSPECIFIED;
    if (tensor.container === TensorContainer.RAW) tensor.container = TensorContainer.UNSPECIFIED;
  }
  const isPreset = message.preset !== '' || message.preprocessorConfig !== '';
  if (output.case === 'image' && !isPreset && output.value.format === 0 && output.value.quality === 0) {
    message.output = { case: undefined };
  }
  return message;
}
