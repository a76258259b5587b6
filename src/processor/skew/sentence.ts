import type { CauseStep } from './cause.ts';

/** The cause in one sentence. */
export function sentenceOf(steps: readonly CauseStep[], exact: boolean): string {
  const list = steps.map(({ name, yours }) => `${name} ${yours}`).join(', ');
  return `Yours ${exact ? 'is' : 'is most likely'} made with ${list}.`;
}
