import { create } from '@bufbuild/protobuf';
import { ProcessRequestSchema } from '../../gen/image/v1/processor_pb.ts';
import { readHeader } from '../../src/processor/codecs/read-header.ts';
import type { Plan, TensorPlan } from '../../src/processor/image/plan.ts';
import { numericsVersions } from '../../src/processor/image/provenance.ts';
import { createPresets } from '../../src/processor/presets/presets.ts';
import shipped from '../../src/processor/presets/shipped-presets.json' with { type: 'json' };
import torchvision from '../../src/processor/presets/torchvision-presets.json' with { type: 'json' };
import { planOf } from '../../src/processor/rules/rules.ts';
import { processOnePlan } from '../support/one-plan.ts';
import { planFrom, type ResizeOptions } from '../support/plans.ts';
import { startPython } from './python-peer.ts';

/** A random case of fresh.py, with its result. */
interface Case {
  readonly kind: string;
  readonly resize?: ResizeOptions | null;
  readonly crop?: readonly [width: number, height: number];
  readonly grayscale: boolean;
  readonly preset?: string;
  readonly outputSize: readonly [width: number, height: number];
  readonly fileBytes: number;
}

const maxPixels = 2 ** 28;
const presets = createPresets({});
const known = [
  ...shipped.flatMap(({ models: [model = ''], config }) =>
    isOnePicture(model) ? [{ name: model.slice(model.indexOf('/') + 1), config }] : [],
  ),
  ...Object.keys(torchvision.weights).map((name) => ({ name, weights: name })),
];

/** Whether a preset makes one tensor of one picture. */
function isOnePicture(name: string): boolean {
  const preset = presets.all.find((each) => each.name === name);
  if (preset === undefined) return false;
  const { views, tensor } = preset.plan(preset.libraries[0], {});
  return views === undefined && tensor.arrangement === undefined && tensor.extras === undefined;
}

const output: TensorPlan = {
  kind: 'tensor',
  name: 'image',
  datatype: 'UINT8',
  layout: 'NHWC',
  rescaleFactor: 1,
  mean: [0],
  std: [1],
  channelOrder: 'RGB',
  container: 'raw',
};

function plannedFor({ preset, resize, crop, grayscale }: Case): Plan {
  if (preset !== undefined) {
    const request = create(ProcessRequestSchema, { preset, output: { case: 'tensor', value: {} } });
    return { ...planOf(request, maxPixels, presets), output };
  }
  return planFrom({
    resize: resize ?? undefined,
    crop: crop && { width: crop[0], height: crop[1], origin: 'transformers' },
    grayscale,
    output,
  });
}

/** The difference, or undefined. */
async function differenceOf(
  test: Case,
  content: Uint8Array,
  theirs: Uint8Array,
): Promise<string | undefined> {
  const header = await readHeader(content, maxPixels);
  const plan = plannedFor(test);
  const outcome = await processOnePlan(content, header, plan, maxPixels);
  if ('failure' in outcome) return outcome.failure.message;
  const { width, height, content: ours } = outcome.result;
  if (`${[width, height]}` !== `${test.outputSize}`) return `ours has ${width} × ${height} pixels`;
  if (ours.length !== theirs.length) return `ours has ${ours.length} values, Pillow's ${theirs.length}`;
  const levels = ours.map((value, at) => Math.abs(value - (theirs[at] as number)));
  const differing = levels.reduce((count, level) => count + Number(level > 0), 0);
  if (differing === 0) return undefined;
  const largest = levels.reduce((most, level) => Math.max(most, level), 0);
  return `${differing} of ${ours.length} values differ, by ${largest} at most; the first at ${levels.findIndex((level) => level > 0)}`;
}

/**
 * Compares fresh random images and requests byte for byte, and prints what was compared.
 *
 * @param python - an interpreter that has Pillow
 * @param count - how many
 * @param seed - the same seed gives the same images
 * @returns whether all were equal
 */
export async function compareFresh(python: string, count: number, seed: string): Promise<boolean> {
  const peer = startPython(python, new URL('fresh.py', import.meta.url));
  const { reply } = await peer.request<{ versions: Record<string, string> }>({});
  const versions = Object.entries(reply.versions).map((entry) => entry.join(' '));
  console.log(`parity: ours ${numericsVersions.pillow}, ${versions.join(', ')}; seed ${seed}`);
  const counts = new Map<string, { cases: number; differing: number }>();
  let first: string | undefined;
  for (let index = 0; index < count; index++) {
    const { reply: test, bytes } = await peer.request<Case>({ seed, index, presets: known });
    const { fileBytes } = test;
    const difference = await differenceOf(test, bytes.subarray(0, fileBytes), bytes.subarray(fileBytes));
    const kind = test.preset === undefined ? test.kind : `preset from ${test.kind}`;
    const { cases, differing } = counts.get(kind) ?? { cases: 0, differing: 0 };
    counts.set(kind, { cases: cases + 1, differing: differing + Number(difference !== undefined) });
    if (difference !== undefined) first ??= `case ${index}: ${difference}\n${JSON.stringify(test)}`;
  }
  peer.end();
  for (const [kind, { cases, differing }] of [...counts].sort()) {
    console.log(`${kind}: ${cases} compared, ${differing} differ`);
  }
  if (first === undefined) {
    console.log(`all ${count} are Pillow's, byte for byte`);
    return true;
  }
  console.log(`the first that differs (--seed ${seed}), ${first}`);
  return false;
}
