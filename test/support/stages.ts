import { decodeFast, decodeWhole } from '../../src/processor/codecs/decode.ts';
import type { ImageHeader } from '../../src/processor/codecs/header.ts';
import type { Pixels } from '../../src/processor/image/pixels.ts';
import { exactStages, fastStages } from '../../src/processor/image/stages.ts';
import { type PlanOptions, planFrom, plannedImage } from './plans.ts';

/** Runs all stages of a plan but its output, in this process. */
export async function runStages(
  content: Uint8Array,
  header: ImageHeader,
  options: PlanOptions = {},
): Promise<Pixels> {
  const { plan, geometry } = plannedImage(header, planFrom(options));
  const run = plan.numerics === 'fast' ? fastStages : exactStages;
  const [picture] = await run({
    plan,
    geometry,
    orientation: header.orientation,
    decodeWhole: () => decodeWhole(content, header),
    decodeFast: (target) => decodeFast(content, header, target),
    stage: async (_name, stage) => await stage(),
  });
  return picture as Pixels;
}
