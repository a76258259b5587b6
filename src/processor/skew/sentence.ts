import type { CauseStep, Pair } from './cause.ts';
import type { StepName } from './lattice/hypothesis.ts';

/** The subject of the sentence. */
type Subject = Pick<Pair, 'difference' | 'subject'> & {
  readonly steps: readonly CauseStep[];
  readonly exact: boolean;
  /** 0…1. */
  readonly confidence: number;
};

/** The cause in one or two sentences: what yours is, how much it differs, and what to change. */
export function sentenceOf({ steps, exact, confidence, difference, subject }: Subject): string {
  // The last bit is of interest only where nothing else differs.
  const larger = steps.filter(({ name }) => name !== 'rounding');
  if (steps.length === 0 || (!exact && larger.length === 0)) return unnamed(exact, subject, difference);
  const named = larger.length === 0 ? steps : larger;
  const what = `Yours ${exact ? 'is' : 'is most likely'} ${listed(phrasesOf(named))}`;
  const explained = exact ? '' : `, which explains ${percent(confidence)} of the difference`;
  return `${what}${explained}; it ${differs(difference, subject)}. ${changes(named)}.`;
}

function unnamed(exact: boolean, subject: string, difference: Subject['difference']): string {
  if (exact) return `Yours has the pixels and the values of ${subject}.`;
  return `Yours ${differs(difference, subject)}, and no known preprocessing gives its values.`;
}

function differs(difference: Subject['difference'], subject: string): string {
  if (difference === undefined) return `has another size than ${subject}`;
  const { differingShare, meanAbs } = difference;
  if (differingShare === 0) return `has the values of ${subject}`;
  return `differs from ${subject} in ${percent(differingShare)} of the values, by ${Number(meanAbs.toPrecision(2))} on average`;
}

/** The library's resize first, then what else differs. */
function phrasesOf(steps: readonly CauseStep[]): readonly string[] {
  const of = (name: StepName) => steps.find((step) => step.name === name)?.yours;
  const [numerics, filter] = [of('numerics'), of('filter')];
  // OpenCV's interpolations have names of their own.
  const isNamed = numerics?.includes('INTER_') ?? false;
  const named = numerics !== undefined && (isNamed || filter === undefined) ? numerics : undefined;
  const resize =
    named ??
    (numerics !== undefined
      ? `${numerics} ${filter}`
      : filter !== undefined
        ? `resampled by the filter ${filter}`
        : undefined);
  return [
    ...(resize === undefined ? [] : [resize]),
    ...steps.flatMap(({ name, yours }) =>
      name === 'numerics' || name === 'filter' ? [] : [phrases[name](yours)],
    ),
  ];
}

/** The steps beside the resize, whose library and filter are named together. */
type OtherStep = Exclude<StepName, 'numerics' | 'filter'>;

const orientationPhrases: Readonly<Record<string, string>> = {
  ignore: 'not turned by its EXIF orientation',
  apply: 'turned by its EXIF orientation',
};

/** Each continues "Yours is …". */
const phrases: { readonly [Name in OtherStep]: (yours: string) => string } = {
  decoder: (yours) => `decoded by ${yours}`,
  icc: (yours) => `made with its colour profile ${yours}`,
  orientation: (yours) => orientationPhrases[yours] ?? yours,
  alpha: (yours) => `with the alpha option ${yours}`,
  range: (yours) => `with its levels ${yours}`,
  size: (yours) => (yours === 'not resized' ? yours : `resized to ${yours}`),
  crop: (yours) => (yours === 'none' ? 'not cropped' : `cropped to ${yours}`),
  pad: (yours) => (yours === 'none' ? 'not padded' : `padded ${yours}`),
  grayscale: (yours) => (yours === 'none' ? 'not gray' : `gray (${yours})`),
  recompression: (yours) => `saved as ${yours} in between`,
  channel_order: (yours) => `in the channel order ${yours}`,
  scale: (yours) => `scaled by ${yours}`,
  mean: (yours) => (yours === 'none' ? 'without a mean' : `with the mean ${yours}`),
  std: (yours) => (yours === 'none' ? 'without a std' : `with the std ${yours}`),
  rounding: (yours) => `rounded otherwise (${yours})`,
  datatype: (yours) => `in ${yours}`,
  layout: (yours) => `in the layout ${yours}`,
};

function words(name: StepName): string {
  return name.replaceAll('_', ' ');
}

/** `a, b and c`. */
function listed(parts: readonly string[]): string {
  const last = parts.at(-1) ?? '';
  return parts.length < 2 ? last : `${parts.slice(0, -1).join(', ')} and ${last}`;
}

/** `Change 3 steps: size, filter and channel order`. */
function changes(steps: readonly CauseStep[]): string {
  const names = steps.map(({ name }) => words(name));
  return steps.length === 1
    ? `Change ${names[0]} to ${steps[0]?.expected}`
    : `Change ${steps.length} steps: ${listed(names)}`;
}

function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))} %`;
}
