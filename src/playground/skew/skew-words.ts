import type { SkewResponse } from '../../../gen/image/v1/processor_pb.ts';
import { value } from '../page/figures.ts';

/** The cause of a difference, with its share and its mean, in one or two sentences. */
export function sentenceOf({ equal, cause }: SkewResponse): string {
  if (equal) return 'Your tensor is the expected one, to the last bit.';
  return cause?.sentence ?? 'No cause was found.';
}

/** The facts that the sentence does not state. */
export function detailsOf({
  equal,
  cause,
  differingShare,
  maxAbs = 0,
  given,
  expected,
}: SkewResponse): string {
  if (equal) return 'Shape, datatype and all values are equal.';
  const proof = cause?.exact === true ? 'These steps reproduce your tensor, to the last bit.' : '';
  const difference =
    differingShare === undefined
      ? `Yours is ${formOf(given)}, expected is ${formOf(expected)}.`
      : `The largest difference is ${value(maxAbs)}.`;
  return [proof, ...(differingShare === 0 ? [] : [difference])].filter((text) => text !== '').join(' ');
}

function formOf(tensor: SkewResponse['given']): string {
  return tensor === undefined ? 'unknown' : `${tensor.datatype} ${tensor.shape.join(' × ')}`;
}
