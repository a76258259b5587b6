import type { DescField } from '@bufbuild/protobuf';
import { Failure } from '../../failures.ts';
import { mostOfOneCaller } from '../../memory-budget.ts';
import { maxVariants } from '../../options/image-options.ts';
import { messageOverheadBytes } from '../transport.ts';

/*
 * Limits of a message beside its length in bytes. Both encodings are checked before objects are built.
 */

/** Fields, list entries and JSON values of one message; a batch of 256 images with all their options has about 10,000. */
export const maxValues = 16_384;

/** Objects and arrays of JSON in one another; the schemas have five. */
export const maxDepth = 32;

/** JSON without its long strings, in bytes. */
export const maxJsonBytes = 2 * 1024 * 1024;

/** One text, in bytes. The longest that is meant to be sent is a preprocessor config of 64 KiB. */
export const maxTextBytes = 1024 * 1024;

/** The most images of one batch. */
export const maxBatchImages = 256;

/** The most axes of a tensor: NumPy's own limit (NPY_MAXDIMS of NumPy 2). */
const maxAxes = 64;

const maxEntries: Readonly<Record<string, number>> = {
  'image.v1.ProcessBatchRequest.requests': maxBatchImages,
  'image.v1.ProcessVariantsRequest.variants': maxVariants,
  'image.v1.GivenTensor.shape': maxAxes,
};

/** The most entries of a list field; lists without a limit of their own have that of all values. */
export function maxEntriesOf(field: DescField): number {
  return maxEntries[`${field.parent.typeName}.${field.name}`] ?? maxValues;
}

/** @param entries - or more */
export function tooManyEntries(field: DescField, entries: number): Failure {
  const limit = maxEntriesOf(field);
  return new Failure(
    'OPTION_INVALID',
    `${field.name} has at least ${entries} entries; the limit is ${limit}. Send several requests.`,
    { option: field.name, limit, actual: entries },
  );
}

export function tooManyValues(values: number): Failure {
  return new Failure(
    'MESSAGE_INVALID',
    `The message has at least ${values} fields and values; the limit is ${maxValues}.`,
    { limit: maxValues, actual: values },
  );
}

export function tooDeep(depth: number): Failure {
  return new Failure(
    'MESSAGE_INVALID',
    `The JSON nests objects and arrays at least ${depth} deep; the limit is ${maxDepth}.`,
    { limit: maxDepth, actual: depth },
  );
}

/**
 * The failure of a message that is longer than what is taken.
 *
 * @param maxImageBytes - of the image in it
 */
export function messageTooLong(bytes: number, maxImageBytes: number): Failure {
  return new Failure(
    'SOURCE_BYTES_OVER_LIMIT',
    `The message has ${bytes} bytes; images of at most ${maxImageBytes} bytes are taken.`,
    { limit: maxImageBytes, actual: bytes },
  );
}

/**
 * The longest message of a comparison, which has two files.
 *
 * @param maxFileBytes - of an image
 * @param mostBytes - that one caller's messages may hold
 */
export function pairLimit(maxFileBytes: number, mostBytes: number) {
  return {
    maxBytes: Math.min(2 * maxFileBytes + messageOverheadBytes, mostBytes),
    tooLong: (bytes: number) =>
      new Failure(
        'SOURCE_BYTES_OVER_LIMIT',
        `The message has at least ${bytes} bytes; an image and a tensor of at most ${maxFileBytes} bytes each are taken.`,
        { limit: maxFileBytes, actual: bytes },
      ),
  };
}

/**
 * The longest message of a batch: what bounds its images is the memory for them, not the limit of one image.
 *
 * @param maxHeldBytes - of all requests together
 */
export function batchLimit(maxHeldBytes: number) {
  return limitOfCaller(maxHeldBytes, 'batch', 'Send several batches.');
}

/**
 * The limit of a request of several images: the memory of one caller.
 *
 * @param noun - the request, in the failure's message
 * @param advice - the next step, as a sentence
 */
export function limitOfCaller(maxHeldBytes: number, noun: string, advice: string) {
  const maxBytes = mostOfOneCaller(maxHeldBytes);
  return {
    maxBytes,
    tooLong: (bytes: number) =>
      new Failure(
        'SOURCE_BYTES_OVER_LIMIT',
        `The ${noun} has at least ${bytes} bytes; at most ${maxBytes} are taken (three quarters of MAX_HELD_BYTES). ${advice}`,
        { limit: maxBytes, actual: bytes, limited_by: 'MAX_HELD_BYTES' },
      ),
  };
}
