/**
 * Pairs in the order in which CPython iterates over a set of them, without duplicates. The choice between equals
 * depends on it in transformers.
 *
 * @param pairs - at most four, of small whole numbers of at least 0, in the order in which they are inserted
 */
export function inSetOrder<Pair extends readonly [number, number]>(pairs: readonly Pair[]): readonly Pair[] {
  const slots: (Pair | undefined)[] = new Array(8).fill(undefined);
  const mask = 7n;
  for (const pair of pairs) {
    let perturb = hashOf(pair);
    let slot = perturb & mask;
    for (;;) {
      const other = slots[Number(slot)];
      if (other === undefined || (other[0] === pair[0] && other[1] === pair[1])) break;
      perturb >>= 5n;
      slot = (slot * 5n + 1n + perturb) & mask;
    }
    slots[Number(slot)] ??= pair;
  }
  return slots.filter((pair) => pair !== undefined);
}

const [prime1, prime2, prime5] = [11400714785074694791n, 14029467366897019727n, 2870177450012600261n];

/** The hash of a tuple on a machine of 64 bits: xxHash without its avalanche (Objects/tupleobject.c of CPython). */
function hashOf(tuple: readonly number[]): bigint {
  let hash = prime5;
  for (const item of tuple) {
    hash = BigInt.asUintN(64, hash + BigInt(item) * prime2);
    hash = BigInt.asUintN(64, (hash << 31n) | (hash >> 33n));
    hash = BigInt.asUintN(64, hash * prime1);
  }
  return BigInt.asUintN(64, hash + (BigInt(tuple.length) ^ (prime5 ^ 3527539n)));
}
