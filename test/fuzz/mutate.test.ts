import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encoded, gradient } from '../support/pictures.ts';
import { mutated, mutations } from './mutate.ts';
import { randomOf } from './random.ts';

const corpus = [Buffer.from('first of the corpus'), Buffer.from('the other one')];

describe(randomOf, () => {
  it('gives each case the same numbers again, and others to other cases and seeds', () => {
    const numbers = (seed: number, index: number) => {
      const random = randomOf(seed, index);
      return [random.below(1000), random.below(1000), random.below(1000)];
    };
    expect(numbers(1, 5)).toEqual(numbers(1, 5));
    expect(numbers(1, 6)).not.toEqual(numbers(1, 5));
    expect(numbers(2, 5)).not.toEqual(numbers(1, 5));
  });

  it('stays below its limit and reaches all of it', () => {
    const random = randomOf(3, 0);
    const seen = new Set(Array.from({ length: 200 }, () => random.below(4)));
    expect([...seen].toSorted()).toEqual([0, 1, 2, 3]);
  });
});

describe(mutated, () => {
  it('makes the same file for the same case, and leaves the corpus as it is', () => {
    const make = () => Array.from({ length: 100 }, (_, index) => mutated(randomOf(7, index), corpus));
    expect(make()).toEqual(make());
    expect(corpus.map(String)).toEqual(['first of the corpus', 'the other one']);
  });

  it('uses every mutation', () => {
    const done = Array.from({ length: 500 }, (_, index) => mutated(randomOf(7, index), corpus).done);
    expect(new Set(done.flat())).toEqual(new Set(Object.keys(mutations)));
  });

  it('edits lengths and sizes inside of a PNG, in half of the cases with a checksum that is right', async () => {
    const png = Buffer.from(await encoded(gradient(8, 8), 'png'));
    const files = Array.from({ length: 50 }, (_, index) =>
      mutations.lengthField(Buffer.from(png), randomOf(1, index)),
    );
    expect(files.filter((file) => file.equals(png)).length).toBeLessThan(25);
    const otherSize = files.filter((file) => file.readUInt32BE(16) !== 8 && file.readUInt32BE(8) === 13);
    const right = otherSize.filter((file) => crc32(file.subarray(12, 29)) === file.readUInt32BE(29));
    expect(right.length).toBeGreaterThan(0);
    expect(right.length).toBeLessThan(otherSize.length);
  });
});
