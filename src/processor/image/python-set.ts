type Pair = readonly [number, number];

/** A set of CPython: a slot of the table is empty or has a pair. */
interface Table {
  readonly slots: (Pair | undefined)[];
  used: number;
}

/**
 * Pairs in the order in which CPython iterates over a set of them, without duplicates: the choice between equals depends
 * on it in transformers. Objects/setobject.c of CPython 3.7 and later, on machines of 64 bits.
 *
 * @param pairs - of whole numbers of at least 0, in the order in which they are inserted; up to 10,000
 */
export function inSetOrder(pairs: readonly Pair[]): readonly Pair[] {
  let table = emptyTable(8);
  for (const pair of pairs) {
    insert(table, pair);
    if (table.used * 5 < (table.slots.length - 1) * 3) continue;
    const larger = emptyTable(2 ** Math.floor(Math.log2(table.used * 4) + 1));
    for (const each of valuesOf(table)) insert(larger, each);
    table = larger;
  }
  return valuesOf(table);
}

function emptyTable(size: number): Table {
  return { slots: new Array<Pair | undefined>(size).fill(undefined), used: 0 };
}

function valuesOf({ slots }: Table): readonly Pair[] {
  return slots.filter((pair) => pair !== undefined);
}

/** LINEAR_PROBES and PERTURB_SHIFT. */
const [linearProbes, perturbShift] = [9, 5n];

function insert(table: Table, pair: Pair): void {
  const { slots } = table;
  const mask = BigInt(slots.length - 1);
  let perturb = hashOf(pair);
  for (let start = perturb & mask; ; start = (start * 5n + 1n + perturb) & mask) {
    const first = Number(start);
    const last = first + linearProbes < slots.length ? first + linearProbes : first;
    for (let slot = first; slot <= last; slot++) {
      const other = slots[slot];
      if (other !== undefined && (other[0] !== pair[0] || other[1] !== pair[1])) continue;
      if (other === undefined) table.used++;
      slots[slot] = pair;
      return;
    }
    perturb >>= perturbShift;
  }
}

const [prime1, prime2, prime5] = [11400714785074694791n, 14029467366897019727n, 2870177450012600261n];

/** The hash of a tuple: xxHash without its avalanche (Objects/tupleobject.c). */
function hashOf(tuple: Pair): bigint {
  let hash = prime5;
  for (const item of tuple) {
    hash = BigInt.asUintN(64, hash + BigInt(item) * prime2);
    hash = BigInt.asUintN(64, (hash << 31n) | (hash >> 33n));
    hash = BigInt.asUintN(64, hash * prime1);
  }
  return BigInt.asUintN(64, hash + (BigInt(tuple.length) ^ (prime5 ^ 3527539n)));
}
