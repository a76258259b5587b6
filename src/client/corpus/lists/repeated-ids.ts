import { hash } from 'node:crypto';

/** Bits of the filter for each expected id; with `probes` they give one false candidate in 100,000. */
const bitsPerId = 24;

/** Bits that each id sets. */
const probes = 8;

/** The row in which an id occurred first in a pass; undefined for the first occurrence itself. */
export type FirstRow = (id: string, row: number) => number | undefined;

/**
 * Finds ids that occur several times without holding all of them: a Bloom filter of three bytes for each id names
 * candidates in a first pass over a list, and a second pass looks only at those. The result is exact, because a filter
 * names every id that it has seen.
 */
export class RepeatedIds {
  readonly #filter: Uint32Array;
  readonly #candidates = new Set<string>();

  /** @param expected - number of ids; with more of them there are more candidates, but no wrong result */
  constructor(expected: number) {
    this.#filter = new Uint32Array(Math.max(32, Math.ceil((expected * bitsPerId) / 32)));
  }

  /** How many ids may occur several times. */
  get candidates(): number {
    return this.#candidates.size;
  }

  /** The first pass. */
  see(id: string): void {
    const filter = this.#filter;
    const bits = filter.length * 32;
    // Double hashing: https://doi.org/10.1002/rsa.20208
    const digest = hash('md5', id, 'buffer');
    const step = digest.readUIntBE(6, 6) % bits;
    let bit = digest.readUIntBE(0, 6) % bits;
    let isNew = false;
    for (let probe = 0; probe < probes; probe++, bit = (bit + step) % bits) {
      const word = Math.floor(bit / 32);
      const before = filter[word] as number;
      const after = before | (1 << (bit % 32));
      isNew ||= after >>> 0 !== before;
      filter[word] = after;
    }
    if (!isNew) this.#candidates.add(id);
  }

  /** Starts the second pass, which sees the ids again in any order. */
  secondPass(): FirstRow {
    const rows = new Map<string, number>();
    return (id, row) => {
      if (!this.#candidates.has(id)) return undefined;
      const first = rows.get(id);
      if (first === undefined) rows.set(id, row);
      return first;
    };
  }
}
