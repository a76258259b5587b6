import { describe, expect, it } from 'vitest';
import { nearestNames } from '../../src/api/nearest-names.ts';

describe(nearestNames, () => {
  const names = ['width', 'height', 'fit', 'filter'];

  it('finds a name by a swap, a missing, a superfluous and a wrong letter', () => {
    expect(nearestNames('widht', names)).toEqual(['width']);
    expect(nearestNames('heigt', names)).toEqual(['height']);
    expect(nearestNames('fiilter', names)).toEqual(['filter']);
    expect(nearestNames('fat', names)).toEqual(['fit']);
  });

  it('puts the nearest first', () => {
    expect(nearestNames('eight', names)).toEqual(['height', 'width']);
  });

  it('finds nothing for a word that is like none, and for a very long one', () => {
    expect(nearestNames('colour', names)).toEqual([]);
    expect(nearestNames('w'.repeat(10_000), names)).toEqual([]);
  });
});
