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
  const what = `Yours ${exact ? 'is' : 'is closest to'} ${listed(phrasesOf(named))}`;
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
  return `differs from ${subject} in ${percent(differingShare)} of the values, by ${meanAbs.toPrecision(2)} on average`;
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
        ? `the filter ${filter}`
        : undefined);
  const others = steps.filter(({ name }) => name !== 'numerics' && name !== 'filter');
  return [
    ...(resize === undefined ? [] : [resize]),
    ...others.map(({ name, yours }) => phrases[name]?.(yours) ?? `${words(name)} ${yours}`),
  ];
}

const phrases: { readonly [Name in StepName]?: (yours: string) => string } = {
  orientation: (yours) => (yours === 'ignore' ? 'EXIF orientation ignored' : `orientation ${yours}`),
  channel_order: (yours) => `channels in the order ${yours}`,
  crop: (yours) => (yours === 'none' ? 'not cropped' : `cropped to ${yours}`),
  pad: (yours) => (yours === 'none' ? 'not padded' : `padded ${yours}`),
  size: (yours) => (yours === 'not resized' ? yours : `resized to ${yours}`),
  scale: (yours) => `scaled by ${yours}`,
  recompression: (yours) => `saved as ${yours} in between`,
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
