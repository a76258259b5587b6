import { create, fromBinary } from '@bufbuild/protobuf';
import {
  type DescribeResponse,
  DescribeResponseSchema,
  type DescribeVariantsResponse,
  DescribeVariantsResponseSchema,
  ImageFormat,
  type Output,
  OutputSchema,
  type ProcessRequest,
  type ProcessResponse,
  ProcessResponseSchema,
  type ProcessVariantsRequest,
} from '../../gen/image/v1/processor_pb.ts';
import { type Call, type Caller, startCall } from './call.ts';
import type { ImageHeader } from './codecs/header.ts';
import { geometryOf, maxBytesOf, type PlannedImage } from './image/geometry.ts';
import { withinLimits } from './image/limits.ts';
import type { OutputDescription } from './image/outputs.ts';
import type { Plan } from './image/plan.ts';
import { decisionsOf } from './image/provenance.ts';
import { mapResults, type Outcome, outcomeOf, resultOf } from './outcome.ts';
import { ofEachPart } from './parts.ts';
import { type ImageProcessing, readImage, wantedSource } from './process-image.ts';
import { planVariants, resultOfVariant, sourceOfVariants } from './process-variants.ts';
import { formatValue, sourceMessage, tensorMessage, tokensMessage } from './respond.ts';
import { planOf } from './rules/rules.ts';
import type { WantedSource } from './source/read-source.ts';

/** rules → describePlans: what processing one image gives. */
export async function describeImage(
  request: ProcessRequest,
  processing: ImageProcessing,
  caller: Caller,
): Promise<DescribeResponse> {
  const plan = planOf(request, processing.limits.maxOutputPixels, processing.presets);
  const [outcome] = await describePlans(wantedSource(request), [plan], processing, caller);
  return resultOf(outcome as Outcome<DescribeResponse>);
}

/**
 * rules → describePlans: what processing the variants of one image gives.
 *
 * @throws what a variant's failure throws, with the variant's index
 */
export async function describeVariants(
  request: ProcessVariantsRequest,
  processing: ImageProcessing,
  caller: Caller,
): Promise<DescribeVariantsResponse> {
  const plans = planVariants(request, processing);
  const outcomes = await describePlans(sourceOfVariants(request), plans, processing, caller);
  return create(DescribeVariantsResponseSchema, { variants: outcomes.map(resultOfVariant) });
}

/** source → key → header → geometry: as in processing, with the same failures, but nothing is decoded. */
async function describePlans(
  source: WantedSource,
  plans: readonly Plan[],
  processing: ImageProcessing,
  caller: Caller,
): Promise<readonly Outcome<DescribeResponse>[]> {
  using call = startCall(caller);
  const image = await readImage(source, plans, processing, call, caller);
  if ('known' in image) {
    return image.known.map(({ value }) => ({
      result: descriptionOfResponse(fromBinary(ProcessResponseSchema, value)),
    }));
  }
  return await ofEachPart(
    image.keyed,
    ({ plan }) => plan.source,
    (part) => describePart(image, part, processing, call, caller),
  );
}

/** header → geometry, for the plans that read one part of the source. */
async function describePart(
  { content, sha256 }: { readonly content: Uint8Array; readonly sha256: string },
  part: readonly { readonly plan: Plan; readonly key: string }[],
  { workers, limits }: ImageProcessing,
  call: Call,
  { signal }: Caller,
): Promise<readonly Outcome<DescribeResponse>[]> {
  const source = part[0]?.plan.source;
  const header = await call.readHeader(() =>
    workers.readHeader(content, limits.maxSourcePixels, signal, source),
  );
  const pages = await workers.readPages(content, source, signal);
  const planned = part.map((item) => ({ ...item, geometry: geometryOf(header, item.plan) }));
  call.memory.checkResponse(maxBytesOf(planned.map(({ geometry }) => geometry)));
  const allowed = planned.map((item) => outcomeOf(() => withinLimits(item, limits.maxOutputPixels)));
  const described = sourceMessage(header, sha256, content.length);
  return mapResults(allowed, (item) =>
    create(DescribeResponseSchema, {
      source: described,
      ...descriptionOfPlan(header, item),
      key: item.key,
      pages: [...pages],
    }),
  );
}

function descriptionOfPlan(header: ImageHeader, { plan, geometry }: PlannedImage) {
  return {
    outputs: geometry.outputs.map(outputMessage),
    decisions: decisionsOf(header, plan, geometry.keepsAlpha),
    ...tokensMessage(geometry.tokens),
  };
}

function outputMessage(output: OutputDescription): Output {
  if (output.kind === 'tensor') {
    return create(OutputSchema, { output: { case: 'tensor', value: tensorMessage(output) } });
  }
  const { width, height } = output;
  return imageMessage(formatValue(output.format), width, height);
}

function imageMessage(format: ImageFormat, width: number, height: number): Output {
  return create(OutputSchema, { output: { case: 'image', value: { format, width, height } } });
}

/** The description of a cached response. */
function descriptionOfResponse(response: ProcessResponse): DescribeResponse {
  const { source, contentType, width, height, tensors, provenance, key, tokens, grid } = response;
  const outputs =
    tensors.length > 0
      ? tensors.map((value) => create(OutputSchema, { output: { case: 'tensor', value } }))
      : [imageMessage(imageFormats[contentType] ?? ImageFormat.UNSPECIFIED, width, height)];
  return create(DescribeResponseSchema, {
    ...(source && { source }),
    outputs,
    decisions: provenance?.decisions ?? [],
    key,
    tokens,
    grid,
  });
}

const imageFormats: Readonly<Record<string, ImageFormat>> = {
  'image/jpeg': ImageFormat.JPEG,
  'image/png': ImageFormat.PNG,
  'image/webp': ImageFormat.WEBP,
};
