import { kindOfArrangement } from '../image/arrangements/arrangements.ts';
import { kindOfExtra } from '../image/extras/extras.ts';
import { kindOf } from '../image/steps.ts';
import type { Rounding } from '../image/value-table.ts';
import { kindOfViews } from '../image/views/views.ts';
import { colourInWords } from '../image/words.ts';
import type { PresetPlan } from './preset-plan.ts';

/** A preset's plan in words: what is done to an image, in the order in which it is done. */
export function stepsInWords({ alpha, steps, views, tensor }: PresetPlan): string[] {
  return [
    'turn upright by the EXIF orientation',
    alphaInWords(alpha),
    ...steps.map((step) => kindOf(step).inWords(step)),
    ...(views === undefined ? [] : [kindOfViews(views).inWords(views)]),
    valuesInWords(tensor),
    tensorInWords(tensor),
    ...(tensor.extras ?? []).map(
      (extra) => `write the tensor ${extra.name}: ${kindOfExtra(extra).inWords(extra)}`,
    ),
    ...(tensor.rest ? [restInWords(tensor.rest)] : []),
  ];
}

function alphaInWords(alpha: PresetPlan['alpha']): string {
  switch (alpha) {
    case 'kept':
      return 'keep alpha';
    case 'dropped':
      return 'convert to RGB and drop alpha';
    default:
      return `convert to RGB and draw transparent pixels over ${colourInWords(alpha)}`;
  }
}

/** The pictures after the first one. */
function restInWords({ name, mean, std }: NonNullable<PresetPlan['tensor']['rest']>): string {
  const values = [...(mean ? [`mean ${mean.join(', ')}`] : []), ...(std ? [`std ${std.join(', ')}`] : [])];
  const normalized = values.length === 0 ? '' : `, normalized by ${values.join(' and ')}`;
  return `write the tensor ${name}: the pictures after the first one${normalized}`;
}

/** Rescaling and normalization. Values that change nothing are left out. */
function valuesInWords(tensor: PresetPlan['tensor']): string {
  const { rescaleFactor, mean, std, rounding = 'stepwise', offset, secondStd } = tensor;
  const parts = [
    ...(rescaleFactor === 1 ? [] : [`rescale by ${factorInWords(rescaleFactor)}`]),
    ...(offset === undefined ? [] : [`subtract ${offset}`]),
    ...(mean.every((value) => value === 0) ? [] : [`subtract mean ${mean.join(', ')}`]),
    ...(std.every((value) => value === 1) ? [] : [`divide by std ${std.join(', ')}`]),
    ...(secondStd === undefined ? [] : [`divide by ${secondStd.join(', ')} again`]),
  ];
  return parts.length === 0 ? 'keep the values 0 to 255' : `${parts.join(', ')} (${roundingWords[rounding]})`;
}

const roundingWords: Readonly<Record<Rounding, string>> = {
  stepwise: 'each operation rounded to FP32',
  fused: 'rescaling and normalization fused, rounded to FP32',
  affine: 'as one product and one sum, each rounded to FP32',
  bfloat16: 'each operation rounded to BF16',
  resized: 'resized between rescaling and normalization, each operation rounded to FP32',
  resizedStepwise: 'resized between rescaling and normalization, each operation rounded to FP32',
  resizedFused: 'as floats after a resize, rescaling and normalization fused, rounded to FP32',
};

function factorInWords(factor: number): string {
  const divisor = Math.round(1 / factor);
  return factor === 1 / divisor ? `1/${divisor}` : String(factor);
}

function tensorInWords({ name, datatype, layout, channelOrder, ...tensor }: PresetPlan['tensor']): string {
  const { arrangement = { kind: 'images' } } = tensor;
  const contents = kindOfArrangement(arrangement).inWords(arrangement, layout);
  return `write the tensor ${name}: ${datatype}, channels in the order ${channelOrder}, ${contents}`;
}
