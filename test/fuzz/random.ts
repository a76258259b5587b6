/** Numbers at random, the same for the same seed. */
export interface Random {
  /** A whole number from 0 to `count` − 1. */
  below(count: number): number;
  /** True in one of so many cases. */
  oneIn(count: number): boolean;
  pick<T>(choices: readonly T[]): T;
  bytes(length: number): Buffer;
}

/**
 * A generator for one case: it depends on the run's seed and the case's number only, so that each case can be made
 * again without those before it. Mulberry32, whose period of 2³² is far longer than a case.
 */
export function randomOf(seed: number, index: number): Random {
  let state = Math.imul(seed ^ 0x9e3779b9, 0x85ebca6b) ^ Math.imul(index + 1, 0xc2b2ae35);
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  const below = (count: number): number => Math.floor((next() / 2 ** 32) * count);
  return {
    below,
    oneIn: (count) => below(count) === 0,
    pick<T>(choices: readonly T[]): T {
      if (choices.length === 0) throw new RangeError('nothing to pick from');
      return choices[below(choices.length)] as T;
    },
    bytes: (length) => Buffer.from(Uint8Array.from({ length }, () => next() & 255)),
  };
}
