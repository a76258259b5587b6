import type { Report } from './comparison.ts';

/** A part of the words to be named, or several of which one has to be. */
export type Words = string | readonly string[];

/**
 * The steps that have to be named, by their names; with "?" after its name, one may be named and need not be. Null: the
 * arithmetic is not in the lattice, so no cause may be exact.
 */
export type Expected = Readonly<Record<string, Words>> | null;

export interface Verdict {
  /** Whether the report is what it has to be. */
  readonly isRight: boolean;
  /** Whether every value was explained. */
  readonly isExact: boolean;
  /** The mistake, in a line; empty if nothing. */
  readonly problem: string;
}

/** Compares a report with what it has to say. */
export function verdictOf(expected: Expected, { equal, cause, failure }: Report): Verdict {
  const isExact = equal || cause?.exact === true;
  if (expected === null) return { isRight: !isExact, isExact, problem: isExact ? 'a false exact' : '' };
  if (failure !== undefined) return { isRight: false, isExact: false, problem: failure };
  const steps = cause?.steps ?? [];
  const named = steps.map(({ name, yours }) => `${name} ${yours}`).join(', ') || 'no step';
  if (!isExact) return { isRight: false, isExact, problem: `not exact; the nearest: ${named}` };
  const problems = Object.entries(expected).flatMap(([key, words]) => {
    const name = key.replace('?', '');
    const step = steps.find((each) => each.name === name);
    if (step === undefined) return key.endsWith('?') ? [] : [`${name} is not named`];
    const ways = [step.yours, ...(step.also ?? [])].join(' | ').toLowerCase();
    const isNamed = [words].flat().some((word) => ways.includes(word.toLowerCase()));
    return isNamed ? [] : [`${name} is named ${step.yours}`];
  });
  const known = new Set(Object.keys(expected).map((key) => key.replace('?', '')));
  for (const { name, yours } of steps) if (!known.has(name)) problems.push(`also named: ${name} ${yours}`);
  return { isRight: problems.length === 0, isExact, problem: problems.join('; ') };
}
