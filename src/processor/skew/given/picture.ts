import { Failure } from '../../../failures.ts';
import { decodeWhole } from '../../codecs/decode.ts';
import { flatten } from '../../image/alpha.ts';
import { kindOfArrangement } from '../../image/arrangements/arrangements.ts';
import { grayToRgb, type Pixels } from '../../image/pixels.ts';
import { isGrayscale, type Plan, type TensorPlan } from '../../image/plan.ts';
import { arrangementOf, sizesOfPicture, tensors } from '../../image/tensor.ts';
import type { GivenFile } from './given-file.ts';
import type { GivenTensor } from './given-tensor.ts';
import { tensorOf } from './stored-tensor.ts';

/**
 * Reads an encoded picture, as stored and without its alpha: the pixels before they are rescaled and normalized. The
 * tensor's values are made of them as the plan does it, so that only the pixels can differ.
 *
 * @param plan - of the expected tensor
 * @throws IMAGE_CORRUPT, OVERLOADED
 */
export async function readPicture(
  { content, header }: Extract<GivenFile, { kind: 'picture' }>,
  plan: Plan,
): Promise<GivenTensor> {
  const decoded = flatten(await decodeWhole(content, header), 'dropped');
  const picture = isGrayscale(plan) ? toGray(decoded) : grayToRgb(decoded);
  const output = rawPlan(plan.output as TensorPlan, picture);
  const { content: bytes, tensors: described } = tensors([picture], sizesOfPicture(picture, picture), output);
  const [description] = described;
  if (description === undefined) throw new Error('a plan without a tensor');
  return tensorOf({ ...description, name: 'picture' }, bytes);
}

/** The plan without other tensors. Pictures that have no place in its arrangement are arranged as images. */
function rawPlan(plan: TensorPlan, picture: Pixels): TensorPlan {
  const arrangement = arrangementOf(plan);
  const images = { ...plan, arrangement: undefined, extras: undefined, container: 'raw' } as const;
  if (arrangement.kind !== 'patches') return images;
  try {
    kindOfArrangement(arrangement).check?.(arrangement, [picture]);
    return { ...images, arrangement };
  } catch (error) {
    if (error instanceof Failure) return images;
    throw error;
  }
}

/** One channel, if all three are equal. */
function toGray(picture: Pixels): Pixels {
  if (picture.channels !== 3) return picture;
  const { data } = picture;
  for (let at = 0; at < data.length; at += 3) {
    if (data[at] !== data[at + 1] || data[at] !== data[at + 2]) return picture;
  }
  const gray = new Uint8Array(data.length / 3);
  for (let at = 0; at < gray.length; at++) gray[at] = data[3 * at] as number;
  return { ...picture, data: gray, channels: 1 };
}
