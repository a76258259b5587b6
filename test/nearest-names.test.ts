import { describe, expect, it } from 'vitest';
import { nearestNames } from '../src/nearest-names.ts';

describe(nearestNames, () => {
  const names = ['width', 'height', 'fit', 'filter'];

  it('finds a name by a swap, a missing, a superfluous and a wrong letter', () => {
    expect(nearestNames('widht', names)).toEqual(['width']);
    expect(nearestNames('heigt', names)).toEqual(['height']);
    expect(nearestNames('fiilter', names)).toEqual(['filter']);
    expect(nearestNames('fat', names)).toEqual(['fit']);
  });

  it('returns all names that are equally near, and none that is farther', () => {
    expect(nearestNames('fi', names)).toEqual(['fit']);
    expect(nearestNames('idth', ['width', 'midth', 'height'])).toEqual(['width', 'midth']);
  });

  it('finds nothing for a word that resembles none, or a very long one', () => {
    expect(nearestNames('colour', names)).toEqual([]);
    expect(nearestNames('w'.repeat(10_000), names)).toEqual([]);
  });
});
