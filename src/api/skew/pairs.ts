import { Failure } from '../../failures.ts';
import { limitOfCaller } from '../../grpc/messages/message-limits.ts';
import type { ImageSource } from '../request-part.ts';
import type { GivenFile } from './skew-form.ts';

/**
 * The most pairs of one request. A pair takes about a second of one core, so that one worker compares these within the
 * default REQUEST_TIMEOUT_MS, and a cause that they all have is not a coincidence.
 */
export const maxPairs = 16;

/** An image, and what the other program made of it. */
interface Pair {
  readonly source: ImageSource;
  readonly given: GivenFile;
}

/**
 * Joins the first image with the first tensor, and so on.
 *
 * @throws Failure SOURCE_MISSING, TENSOR_INVALID, PAIRS_INVALID
 */
export function pairUp(sources: readonly ImageSource[], given: readonly GivenFile[]): readonly Pair[] {
  if (sources.length === 0) {
    throw new Failure(
      'SOURCE_MISSING',
      'There is no image: send the file that the tensor was made of in the form field "image", or name its address in "url".',
      { allowed: 'image, url' },
    );
  }
  if (given.length === 0) {
    throw new Failure(
      'TENSOR_INVALID',
      'There is nothing to compare: send what the other program made of the image in the form field "tensor", or as an encoded image in "picture".',
      { allowed: 'tensor, picture' },
    );
  }
  const [first] = given;
  if (given.some((file) => file.case !== first?.case)) {
    throw pairsInvalid(
      'The form has both tensors and pictures; send the same kind for all images.',
      'tensor, picture',
      'tensor or picture',
    );
  }
  if (sources.length !== given.length) {
    const [images, files] = [counted(sources.length, 'image'), counted(given.length, first?.case ?? '')];
    throw pairsInvalid(
      `The form has ${images} and ${files}; each image takes one, in the same order.`,
      `${images}, ${files}`,
      'as many tensors as images',
    );
  }
  if (given.length > maxPairs) {
    throw new Failure(
      'PAIRS_INVALID',
      `The form has ${given.length} pairs; the limit is ${maxPairs}. Send several requests.`,
      { limit: maxPairs, actual: given.length },
    );
  }
  return sources.map((source, index) => ({ source, given: given[index] as GivenFile }));
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function pairsInvalid(message: string, actual: string, allowed: string): Failure {
  return new Failure('PAIRS_INVALID', message, { actual, allowed });
}

/** The longest form. Each file has the limit of an image; all of them have that of one caller's memory. */
export function formLimit(maxHeldBytes: number) {
  return limitOfCaller(maxHeldBytes, 'form', 'Send fewer pairs at once.');
}
