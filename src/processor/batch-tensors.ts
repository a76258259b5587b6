import { create } from '@bufbuild/protobuf';
import {
  type ProcessBatchResponse,
  ProcessBatchResponseSchema,
  type ProcessResponse,
  TensorContainer,
} from '../../gen/image/v1/processor_pb.ts';
import type { DatatypeName } from '../datatypes.ts';
import { Failure } from '../failures.ts';
import type { BatchRule } from './image/arrangements/arrangement.ts';
import { areJoinable, joinedAxis, joinedShape, keepLargest, writeJoined } from './image/join-tensors.ts';
import { fixedTensors } from './image/outputs.ts';
import type { Plan, TensorPlan } from './image/plan.ts';
import { batchRulesOf } from './image/tensor.ts';
import {
  type ArrayContainer,
  bytesOfTensor,
  type OpenContainer,
  openContainer,
  type TensorDescription,
  valuesIn,
} from './image/tensor-container.ts';
import { joinVllmContents } from './image/vllm-item.ts';
import { tensorMessage } from './respond.ts';
import type { CallMemory } from './serving/call-memory.ts';

/** The tensors of a batch, joined from those of its images in any order. */
export interface BatchTensors extends Disposable {
  /** The container in which each image's tensors have to come. */
  readonly partContainer: TensorContainer;
  /** @throws Failure BATCH_SHAPES_UNEQUAL */
  put(index: number, response: ProcessResponse): void;
  /**
   * After all images were put.
   *
   * @throws Failure OUTPUT_BYTES_OVER_LIMIT, OVERLOADED
   */
  response(): ProcessBatchResponse;
}

/**
 * @param count - of images
 * @param plan - of the first image, to a tensor
 * @throws Failure OUTPUT_BYTES_OVER_LIMIT, OVERLOADED
 */
export function openBatch(
  count: number,
  plan: Plan,
  container: TensorPlan['container'],
  memory: CallMemory,
): BatchTensors {
  if (container === 'vllm') return collectItems(count, memory);
  const rules = batchRulesOf(plan.output as TensorPlan);
  const partContainer = rules.length === 1 ? TensorContainer.RAW : TensorContainer.SAFETENSORS;
  const fixed = fixedTensors(plan);
  return {
    partContainer,
    ...(fixed === undefined
      ? collect(count, rules, container, memory)
      : stack(count, fixed, rules, container, memory)),
  };
}

type Joining = Omit<BatchTensors, 'partContainer'>;

/**
 * The plan determines the shapes, so each image's values are copied as they arrive, and besides the joined tensors only
 * the values of images in progress are in memory. An excess is found before any work is done.
 */
function stack(
  count: number,
  fixed: readonly TensorDescription[],
  rules: readonly BatchRule[],
  container: ArrayContainer,
  memory: CallMemory,
): Joining {
  const parts = createParts(count, rules);
  const joined = fixed.map((tensor, index) => ({
    ...tensor,
    shape: joinedShape(new Array(count).fill(tensor.shape), rules[index] as BatchRule),
  }));
  const room = reserve(bytesOf(joined), memory);
  let open: OpenContainer | undefined;
  return {
    put(index, response) {
      parts.put(index, response);
      open ??= openJoined(joined, rules, container);
      writePart(open, joined, rules, parts.at(index), index);
      memory.hold(-parts.at(index).content.length);
      parts.release(index);
    },
    response: () => responseOf(open as OpenContainer, joined, parts.images, memory),
    [Symbol.dispose]: () => room[Symbol.dispose](),
  };
}

/** The shapes depend on the images, so the joined tensors are made once all are there. */
function collect(
  count: number,
  rules: readonly BatchRule[],
  container: ArrayContainer,
  memory: CallMemory,
): Joining {
  const parts = createParts(count, rules);
  let room: Disposable | undefined;
  return {
    put: parts.put,
    response() {
      const all = parts.images.map((_, index) => parts.at(index).tensors);
      const joined = rules.flatMap((rule, each) => {
        const described = all.flatMap((tensors) => tensors[each] ?? []);
        const [first] = described;
        if (first === undefined) return [];
        const shapes = described.map(({ shape }) => shape);
        return [{ ...first, shape: joinedShape(shapes, rule) }];
      });
      room = reserve(bytesOf(joined), memory);
      const open = openJoined(joined, rules, container);
      let positions = joined.map(() => 0);
      for (const index of parts.images.keys()) {
        const part = parts.at(index);
        writeAt(open, joined, rules, part, positions);
        positions = positions.map((at, each) => {
          const { shape = [] } = part.tensors[each] ?? {};
          return at + (shape[joinedAxis(shape, rules[each] as BatchRule)] ?? 0);
        });
        memory.hold(-part.content.length);
        parts.release(index);
      }
      return responseOf(open, joined, parts.images, memory);
    },
    [Symbol.dispose]: () => room?.[Symbol.dispose](),
  };
}

/** Items of vLLM are not joined: the response lists that of each image. */
function collectItems(count: number, memory: CallMemory): BatchTensors {
  const images: ProcessResponse[] = new Array(count);
  let room: Disposable | undefined;
  return {
    partContainer: TensorContainer.VLLM,
    put(index, response) {
      images[index] = response;
    },
    response() {
      const contents = images.map(({ content }) => content);
      const bytes = contents.reduce((sum, { length }) => sum + length, 0);
      room = reserve(bytes, memory);
      const { content, contentType } = joinVllmContents(contents);
      memory.hold(content.length - bytes);
      const withoutContents = images.map((image) => ({ ...image, content: new Uint8Array() }));
      return create(ProcessBatchResponseSchema, { content, contentType, images: withoutContents });
    },
    [Symbol.dispose]: () => room?.[Symbol.dispose](),
  };
}

/** A container whose values are those of padding. */
function openJoined(
  joined: readonly TensorDescription[],
  rules: readonly BatchRule[],
  container: ArrayContainer,
): OpenContainer {
  const open = openContainer(joined, container);
  for (const [index, values] of open.values.entries()) {
    if (rules[index] === 'padWithOnes')
      values.set(new Uint8Array(new Float32Array(values.length / 4).fill(1).buffer));
  }
  return open;
}

function reserve(bytes: number, memory: CallMemory): Disposable {
  memory.checkResponse(bytes);
  memory.checkBoth(bytes);
  return memory.reserve(bytes);
}

/** The responses to a batch's images. */
function createParts(count: number, rules: readonly BatchRule[]) {
  const images: ProcessResponse[] = new Array(count);
  // The image with the most tensors: the others have their first ones.
  let fullest: number | undefined;
  return {
    images,
    /** @throws Failure BATCH_SHAPES_UNEQUAL */
    put(index: number, response: ProcessResponse): void {
      images[index] = response;
      fullest ??= index;
      checkShapes(images, rules, fullest, index);
      if (response.tensors.length > (images[fullest]?.tensors.length ?? 0)) fullest = index;
    },
    at(index: number) {
      const { content, tensors } = images[index] as ProcessResponse;
      return { content, tensors: tensors.map(descriptionOf) };
    },
    /** Drops an image's values. */
    release(index: number): void {
      images[index] = { ...(images[index] as ProcessResponse), content: new Uint8Array() };
    },
  };
}

type Part = ReturnType<ReturnType<typeof createParts>['at']>;

/** Writes an image's tensors. Those of all images have equal shapes. */
function writePart(
  open: OpenContainer,
  joined: readonly TensorDescription[],
  rules: readonly BatchRule[],
  part: Part,
  index: number,
): void {
  writeAt(
    open,
    joined,
    rules,
    part,
    part.tensors.map(({ shape }, each) => index * (shape[joinedAxis(shape, rules[each] as BatchRule)] ?? 1)),
  );
}

/** @param positions - of the image's tensors along the joined axes */
function writeAt(
  open: OpenContainer,
  joined: readonly TensorDescription[],
  rules: readonly BatchRule[],
  { content, tensors }: Part,
  positions: readonly number[],
): void {
  const values = valuesIn(content, tensors);
  for (const [each, tensor] of tensors.entries()) {
    const { shape } = joined[each] as TensorDescription;
    const [part, whole] = [values[each] as Uint8Array, open.values[each] as Uint8Array];
    const rule = rules[each] as BatchRule;
    if (rule === 'largest') keepLargest(part, whole);
    else writeJoined(part, tensor, positions[each] as number, whole, shape, rule);
  }
}

function responseOf(
  { content, contentType, close }: OpenContainer,
  joined: readonly TensorDescription[],
  images: readonly ProcessResponse[],
  memory: CallMemory,
): ProcessBatchResponse {
  close();
  memory.hold(content.length);
  const tensors = joined.map(tensorMessage);
  return create(ProcessBatchResponseSchema, { content, contentType, tensors, images: [...images] });
}

function bytesOf(tensors: readonly TensorDescription[]): number {
  return tensors.reduce((sum, tensor) => sum + bytesOfTensor(tensor), 0);
}

function descriptionOf({ name, datatype, shape }: ProcessResponse['tensors'][number]): TensorDescription {
  return { name, datatype: datatype as DatatypeName, shape: shape.map(Number) };
}

function checkShapes(
  images: readonly ProcessResponse[],
  rules: readonly BatchRule[],
  ...indices: readonly number[]
): void {
  const [one, other] = indices.toSorted((a, b) => a - b) as [number, number];
  const [expected, actual] = [one, other].map((index) => images[index]?.tensors.map(descriptionOf) ?? []);
  if (expected === undefined || actual === undefined) return;
  const count = Math.max(expected.length, actual.length);
  for (let each = 0; each < count; each++) {
    const [mine, theirs] = [expected[each], actual[each]];
    if (canJoin(mine, theirs, rules[each])) continue;
    const [shapeOfOne, shapeOfOther] = [mine, theirs].map((tensor) => tensor?.shape.slice(1) ?? []);
    throw new Failure(
      'BATCH_SHAPES_UNEQUAL',
      `Image ${one} becomes ${shownTensor(mine)} and image ${other} becomes ${shownTensor(theirs)}. Give them one size and one datatype.`,
      { index: other, expected: shapeOfOne?.join() ?? '', actual: shapeOfOther?.join() ?? '' },
    );
  }
}

function canJoin(
  one: TensorDescription | undefined,
  other: TensorDescription | undefined,
  rule: BatchRule | undefined,
): boolean {
  if (one === undefined || other === undefined) return rule === 'concatenateSome';
  if (one.name !== other.name || one.datatype !== other.datatype) return false;
  if (one.shape.length !== other.shape.length) return false;
  return rule !== undefined && areJoinable(one.shape, other.shape, rule);
}

function shownTensor(tensor: TensorDescription | undefined): string {
  return tensor === undefined ? 'no tensor' : `${tensor.datatype} [${tensor.shape.slice(1).join(', ')}]`;
}
