import { create, type MessageInitShape } from '@bufbuild/protobuf';
import {
  ProcessRequestSchema,
  TensorContainer,
  TensorOutputSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import type { Plan } from '../../src/processor/image/plan.ts';
import { processPixels } from '../../src/processor/image/process-pixels.ts';
import { valuesIn } from '../../src/processor/image/tensor-container.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import { planOf } from '../../src/processor/rules/rules.ts';
import { runSkewJob, type SkewJob, type SkewReport } from '../../src/processor/skew/skew-job.ts';
import { unpackFailure } from '../../src/processor/workers/failure.ts';
import { plannedImage } from './plans.ts';

/** The options of a request without its source: a preset, or options with `output`. */
type Options = MessageInitShape<typeof ProcessRequestSchema>;

/** A tensor in raw form. */
export interface RawTensor {
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly content: Uint8Array;
}

const maxPixels = 2 ** 28;
const presets = createPresets({});

/** The tensor that the service makes of an image: that of the pixels, without its container. */
export async function madeTensor(image: Uint8Array, options: Options): Promise<RawTensor> {
  const header = await readHeader(image, maxPixels);
  const plan = tensorPlan(options);
  const [outcome] = await processPixels({
    content: image,
    header,
    images: [plannedImage(header, plan)],
  });
  if (outcome === undefined || 'failure' in outcome) throw new Error('no tensor', { cause: outcome });
  const { content, tensors } = outcome.result;
  const [tensor] = tensors;
  const [values] = valuesIn(content, tensors);
  if (tensor === undefined || values === undefined) throw new Error('no tensor');
  return { datatype: tensor.datatype, shape: tensor.shape, content: Uint8Array.from(values) };
}

/** Compares a tensor with the one that the options give. @throws Failure */
export function compared(image: Uint8Array, options: Options, given: RawTensor): Promise<SkewReport> {
  return comparedWith(image, tensorPlan(options), given);
}

/** Compares a tensor with the one that a plan gives. @throws Failure */
export async function comparedWith(image: Uint8Array, plan: Plan, given: RawTensor): Promise<SkewReport> {
  const outcome = await runSkewJob(await skewJob(image, plan, given));
  if ('failure' in outcome) throw unpackFailure(outcome.failure);
  return outcome.report;
}

/** The job that compares a tensor with the one that a plan gives. */
export async function skewJob(image: Uint8Array, plan: Plan, given: RawTensor): Promise<SkewJob> {
  const header = await readHeader(image, maxPixels);
  return {
    content: image,
    header,
    expected: plannedImage(header, plan),
    given: { kind: 'tensor', container: 'raw', name: '', ...given },
    wantsMap: false,
    subject: 'the expected tensor',
  };
}

/** The steps of a cause, as `name: yours`. */
export function stepsOf({ cause }: SkewReport): Readonly<Record<string, string>> {
  return Object.fromEntries((cause?.steps ?? []).map(({ name, yours }) => [name, yours]));
}

/** The plan of options, in a container of any number of tensors. */
export function tensorPlan(options: Options): Plan {
  const request = create(ProcessRequestSchema, options);
  const { value = create(TensorOutputSchema) } = request.output.case === 'image' ? {} : request.output;
  const output = { case: 'tensor', value: { ...value, container: TensorContainer.SAFETENSORS } } as const;
  return planOf({ ...request, output }, maxPixels, presets);
}
