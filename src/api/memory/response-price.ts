import { create } from '@bufbuild/protobuf';
import {
  Datatype,
  Fit,
  type GetPresetRequest,
  ImageFormat,
  ImageOutputSchema,
  type ListPresetsRequest,
  type ProcessBatchRequest,
  type ProcessRequest,
  type ProcessVariantsRequest,
  type SkewRequest,
} from '../../../gen/image/v1/processor_pb.ts';
import { imageBytes, outputBytesOverLimit, tensorBytes } from '../../content-bytes.ts';
import type { DatatypeName } from '../../datatypes.ts';

export type PricedRequest =
  | ProcessRequest
  | ProcessVariantsRequest
  | ProcessBatchRequest
  | ListPresetsRequest
  | GetPresetRequest
  | SkewRequest;

/** Limits of a response's length, in bytes, with the names of the variables that set them. */
export interface ResponseLimit {
  readonly bytes: number;
  readonly name: string;
}

/**
 * Bytes that a response's content can get, as far as the options tell it: 0 for what depends on the source's own size
 * or on a preset. Their length is known when the length of the response's message has arrived.
 *
 * @throws Failure OUTPUT_BYTES_OVER_LIMIT
 */
export function priceOfResponse(request: PricedRequest, limit: ResponseLimit): number {
  const bytes = contentsOf(request).reduce((sum, one) => sum + contentBytes(one), 0);
  if (bytes > limit.bytes) throw outputBytesOverLimit(bytes, limit.bytes, limit.name);
  return bytes;
}

function contentsOf(request: PricedRequest): readonly ProcessRequest[] {
  switch (request.$typeName) {
    case 'image.v1.ProcessRequest':
      return [request];
    case 'image.v1.ProcessVariantsRequest':
      return request.variants;
    case 'image.v1.ProcessBatchRequest':
      return request.requests;
    case 'image.v1.ListPresetsRequest':
    case 'image.v1.GetPresetRequest':
      return [];
    case 'image.v1.SkewRequest':
      return request.map && request.request ? [mapOf(request.request)] : [];
  }
}

/** The map of a comparison: a PNG of one channel, of the expected tensor's size. */
function mapOf(request: ProcessRequest): ProcessRequest {
  const format = create(ImageOutputSchema, { format: ImageFormat.PNG });
  return { ...request, grayscale: true, output: { case: 'image', value: format } };
}

/** The same for the content of one image. */
export function contentBytes(request: ProcessRequest): number {
  const size = request.crop ?? sizeOf(request);
  if (size === undefined) return 0;
  const { output, grayscale } = request;
  if (output.case === 'tensor') {
    return tensorBytes(size, grayscale ? 1 : 3, datatypeNames[output.value.datatype] ?? 'FP32');
  }
  const format = formatNames[output.value?.format ?? 0];
  const quality = output.value?.quality;
  // A source's alpha may be kept. If the format is the source's own, PNG is the longest.
  const channels = (grayscale ? 1 : 3) + (format === 'jpeg' ? 0 : 1);
  return Math.floor(imageBytes(size, channels, format ?? 'png', quality));
}

/** Undefined where it depends on the source. */
function sizeOf({ resize }: ProcessRequest): { width: number; height: number } | undefined {
  if (resize === undefined || resize.shortestEdge > 0 || resize.fit === Fit.OUTSIDE) return undefined;
  if (resize.width === 0 || resize.height === 0) return undefined;
  return resize;
}

const datatypeNames: Readonly<Partial<Record<Datatype, DatatypeName>>> = {
  [Datatype.UINT8]: 'UINT8',
  [Datatype.FP16]: 'FP16',
  [Datatype.BF16]: 'BF16',
};

const formatNames: Readonly<Partial<Record<ImageFormat, 'jpeg' | 'png' | 'webp'>>> = {
  [ImageFormat.JPEG]: 'jpeg',
  [ImageFormat.PNG]: 'png',
  [ImageFormat.WEBP]: 'webp',
};
