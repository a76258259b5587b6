import { clone, create } from '@bufbuild/protobuf';
import {
  type GivenTensor,
  type ProcessRequest,
  ProcessRequestSchema,
  type SkewRequest,
  type SkewResponse,
  SkewResponseSchema,
  StageTimeSchema,
  TensorContainer,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../failures.ts';
import { invalidOption } from '../options/invalid-option.ts';
import { type Call, type Caller, startCall } from './call.ts';
import { geometryOf } from './image/geometry.ts';
import { withinLimits } from './image/limits.ts';
import { type ImageProcessing, readImage, sourceOf } from './process-image.ts';
import { sourceMessage, tensorMessage } from './respond.ts';
import { planOf } from './rules/rules.ts';
import { expectedInWords, pythonOf } from './skew/expected-in-words.ts';
import { priceOfSkew } from './skew/price.ts';
import type { GivenContainer, GivenFile, SkewReport } from './skew/skew-job.ts';

/**
 * rules → source → header → geometry → price → admission → worker: compares the tensor that another program made of an
 * image with the expected one.
 */
export async function findSkew(
  request: SkewRequest,
  processing: ImageProcessing,
  caller: Caller,
): Promise<SkewResponse> {
  const { workers, admission, limits, presets } = processing;
  const { signal, remainingMs = () => Number.POSITIVE_INFINITY } = caller;
  const asked = tensorRequest(request.request);
  const plan = planOf(asked, limits.maxOutputPixels, presets);
  using call = startCall(caller);
  const image = await readImage(asked.source, [plan], processing, call, { ...caller, mustRevalidate: false });
  if ('known' in image) throw sourceUnknown();
  const { content, sha256 } = image;
  admission.checkRoom(content.length);
  const header = await call.readHeader(() =>
    workers.readHeader(content, limits.maxSourcePixels, signal, sourceOf([plan])),
  );
  const expected = withinLimits({ plan, geometry: geometryOf(header, plan) }, limits.maxOutputPixels);
  const given = await readGiven(request, processing, call, signal);
  const subject = asked.preset === '' ? 'the expected tensor' : `${asked.preset}'s own tensor`;
  const job = { content, header, expected, given, wantsMap: request.map, subject };
  const run = call.workerJob(
    mapBytes(given),
    () => workers.findSkew(job, signal),
    ({ stages }) => stages,
  );
  const report = await admission.run(run, signal, priceOfSkew(job), remainingMs());
  return create(SkewResponseSchema, {
    ...reportMessage(report),
    plan: expectedInWords(plan),
    python: pythonOf(asked, presets),
    source: sourceMessage(header, sha256, content.length),
    stages: [...call.stages, ...report.stages].map(({ name, durationMs }) =>
      create(StageTimeSchema, { name, durationMs }),
    ),
  });
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

/** @throws TENSOR_INVALID if there is none, and what reading a picture's header throws */
async function readGiven(
  { given }: SkewRequest,
  { workers, limits }: ImageProcessing,
  call: Call,
  signal: AbortSignal,
): Promise<GivenFile> {
  switch (given.case) {
    case 'tensor':
      return tensorFile(given.value);
    case 'picture': {
      const content = given.value;
      const header = await call.readHeader(() => workers.readHeader(content, limits.maxSourcePixels, signal));
      return { kind: 'picture', content, header };
    }
    case undefined:
      throw new Failure('TENSOR_INVALID', 'The request has nothing to compare. Set tensor or picture.', {
        allowed: 'tensor, picture',
      });
  }
}

const containers: Readonly<Partial<Record<TensorContainer, GivenContainer>>> = {
  [TensorContainer.RAW]: 'raw',
  [TensorContainer.NPY]: 'npy',
  [TensorContainer.NPZ]: 'npz',
  [TensorContainer.SAFETENSORS]: 'safetensors',
};

function tensorFile({ content, container, shape, datatype, name }: GivenTensor): GivenFile {
  return {
    kind: 'tensor',
    content,
    container: containers[container],
    shape: shape.map(Number),
    datatype,
    name,
  };
}

/** Upper bound of the map, which is a PNG of one channel, in bytes. */
function mapBytes(given: GivenFile): number {
  return given.content.length;
}

function sourceUnknown(): Failure {
  return new Failure('SOURCE_UNKNOWN', 'A comparison needs the image itself; send its bytes or its URL.');
}

function reportMessage({ equal, difference, cause, map, given, expected }: SkewReport) {
  return {
    equal,
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
