import { clone, create } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  ProcessRequestSchema,
  type SkewRequest,
  type SkewResponse,
  SkewResponseSchema,
  StageTimeSchema,
  TensorContainer,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { imageBytes } from '../content-bytes.ts';
import { Failure } from '../failures.ts';
import { numericsWords } from '../options/image-options.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { type Call, type Caller, startCall } from './call.ts';
import { geometryOf, type PlannedImage } from './image/geometry.ts';
import { withinLimits } from './image/limits.ts';
import type { Plan, TensorPlan } from './image/plan.ts';
import { stepsInWords } from './presets/steps-in-words.ts';
import { admissionFor, type ImageProcessing } from './process-image.ts';
import { sourceMessage, tensorMessage } from './respond.ts';
import { checkGiven } from './rules/given-file.ts';
import { planOf } from './rules/rules.ts';
import { checkTolerance } from './rules/skew-tolerance.ts';
import { priceOfSkew } from './skew/price.ts';
import type { SkewReport } from './skew/skew-job.ts';

/** The most bytes of a response's texts: the cause, the plan and the lines of Python. */
const textBytes = 64 * 1024;

/**
 * rules → source → headers → geometry → price → admission → worker: compares the tensor that another program made of an
 * image with the expected one.
 */
export async function findSkew(
  request: SkewRequest,
  processing: ImageProcessing,
  caller: Caller,
): Promise<SkewResponse> {
  const { workers, limits, presets } = processing;
  const { signal, remainingMs = () => Number.POSITIVE_INFINITY } = caller;
  const asked = tensorRequest(request.request);
  const plan = exactPlan(planOf(asked, limits.maxOutputPixels, presets));
  const file = checkGiven(request, limits.maxSourceBytes);
  const tolerance = checkTolerance(request);
  using call = startCall(caller);
  const { content, sha256 } = await readSource(asked, processing, call, caller);
  const admission = admissionFor(content, processing);
  admission.checkRoom(content.length + file.content.length);
  const readHeader = (bytes: Uint8Array, source?: Plan['source']) =>
    call.readHeader(() => workers.readHeader(bytes, limits.maxSourcePixels, signal, source));
  const header = await readHeader(content, plan.source);
  const expected = withinLimits({ plan, geometry: geometryOf(header, plan) }, limits.maxOutputPixels);
  const given = file.kind === 'tensor' ? file : { ...file, header: await readHeader(file.content) };
  const subject = asked.preset === '' ? 'the expected tensor' : `${asked.preset}'s own tensor`;
  const job = {
    content,
    header,
    expected,
    given,
    wantsMap: request.map,
    subject,
    ...(tolerance && { tolerance }),
  };
  const bytes = textBytes + (request.map ? mapBytes(expected) : 0);
  call.memory.checkResponse(bytes);
  call.memory.checkRoom(bytes);
  const run = call.workerJob(
    bytes,
    () => workers.findSkew(job, signal),
    ({ stages }) => stages,
  );
  const report = await admission.run(run, signal, priceOfSkew(job), remainingMs());
  call.memory.hold(report.map?.length ?? 0);
  return create(SkewResponseSchema, {
    ...reportMessage(report),
    plan: inWords(plan),
    python: asked.preset === '' ? '' : presets.find(asked.preset).python(),
    source: sourceMessage(header, sha256, content.length),
    stages: [...call.stages, ...report.stages].map(({ name, durationMs }) =>
      create(StageTimeSchema, { name, durationMs }),
    ),
  });
}

/** The steps that give the expected tensor. */
function inWords({ alpha, steps, views, decisions, output }: Plan): string[] {
  return stepsInWords({ alpha, steps, views, decisions, tensor: output as TensorPlan });
}

/** The request for the expected tensor, in a container of any number of tensors. @throws OPTION_INVALID, SOURCE_MISSING */
function tensorRequest(request: ProcessRequest | undefined): ProcessRequest {
  if (request === undefined) throw new Failure('SOURCE_MISSING', 'The request has no image. Set request.');
  if (request.output.case === 'image') throw invalidOption('output', 'an image', 'a tensor, or unset');
  const { value = create(TensorOutputSchema) } = request.output;
  const asked = clone(ProcessRequestSchema, { ...request, source: { case: undefined } });
  asked.output = { case: 'tensor', value: { ...value, container: TensorContainer.SAFETENSORS } };
  // Not cloned: it may be megabytes.
  asked.source = request.source;
  return asked;
}

/** @throws OPTION_INVALID for fast numerics: their pixels depend on the version of libvips, so no cause of them is exact */
function exactPlan(plan: Plan): Plan {
  if (plan.numerics !== 'fast') return plan;
  const allowed = numericsWords.filter((word) => word !== 'fast').join(', ');
  throw invalidOption(
    'numerics',
    'fast',
    allowed,
    `A comparison needs exact numerics, and these are fast; allowed: ${allowed}.`,
  );
}

/** The image itself: a cached response to an equal request is not enough. @throws SOURCE_UNKNOWN for a SHA-256 */
async function readSource(
  { source }: ProcessRequest,
  { sources }: ImageProcessing,
  call: Call,
  { name, signal }: Caller,
) {
  const knowsNothing = async () => undefined;
  const image = await call.read(source, () =>
    sources.read({ ...source, caller: name }, knowsNothing, signal),
  );
  if ('content' in image) return image;
  throw new Failure('SOURCE_UNKNOWN', 'A comparison needs the image itself; send its bytes or its URL.');
}

/** Upper bound of the map, in bytes: a PNG of one channel. */
function mapBytes({ geometry }: PlannedImage): number {
  return geometry.pictures.reduce((sum, size) => sum + imageBytes(size, 1, 'png', undefined), 0);
}

function reportMessage({ equal, isWithinTolerance, difference, cause, map, given, expected }: SkewReport) {
  return {
    equal,
    ...(isWithinTolerance !== undefined && { withinTolerance: isWithinTolerance }),
    ...(difference && {
      differingShare: difference.differingShare,
      meanAbs: difference.meanAbs,
      maxAbs: difference.maxAbs,
      percentiles: difference.percentiles.map((percentile) => ({ ...percentile })),
    }),
    ...(cause && {
      cause: { ...cause, steps: cause.steps.map((step) => ({ ...step, also: [...step.also] })) },
    }),
    ...(map && { map }),
    given: tensorMessage(given),
    expected: tensorMessage(expected),
  };
}
