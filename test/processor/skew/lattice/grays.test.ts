import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Pixels } from '../../../../src/processor/image/pixels.ts';
import { grays, toGray } from '../../../../src/processor/skew/lattice/grays.ts';
import { latticeGoldens } from '../../../support/lattice-goldens.ts';

/** Every fifth level of R, G and B, as in make_lattice_goldens.py. */
function colours(): Pixels & { readonly data: Uint8Array } {
  const data = new Uint8Array(52 ** 3 * 3);
  for (let at = 0; at < 52 ** 3; at++) {
    data.set([5 * Math.floor(at / 52 ** 2), 5 * (Math.floor(at / 52) % 52), 5 * (at % 52)], at * 3);
  }
  return { data, width: 52 * 52, height: 52, channels: 3 };
}

describe(toGray, () => {
  it.each(grays.map((gray) => [gray.id, gray] as const))('gives the library’s levels: %s', (id, gray) => {
    const { data } = toGray(colours(), gray) ?? {};
    expect(data && hash('sha256', data)).toBe(latticeGoldens.grays[id]);
  });

  it('has a formula for each golden', () => {
    expect(grays.map(({ id }) => id).sort()).toEqual(Object.keys(latticeGoldens.grays).sort());
  });

  it('weighs fractions without rounding', () => {
    const picture = { data: Float32Array.of(0.5, 100.25, 200), width: 1, height: 1, channels: 3 } as const;
    const [pillow] = grays;
    expect(pillow && toGray(picture, pillow)?.data).toEqual(
      Float32Array.of(0.299 * 0.5 + 0.587 * 100.25 + 0.114 * 200),
    );
  });

  it('does not apply to fractions if the formula has no weights', () => {
    const picture = { data: Float32Array.of(1, 2, 3), width: 1, height: 1, channels: 3 } as const;
    const value = grays.find(({ id }) => id === 'value');
    expect(value && toGray(picture, value)).toBeUndefined();
  });
});
