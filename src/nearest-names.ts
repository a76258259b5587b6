/**
 * The names that a misspelt name may mean: the nearest ones.
 *
 * @param names - in lower case
 * @param allowed - largest edit distance; default: a third of the letters
 */
export function nearestNames(
  given: string,
  names: readonly string[],
  allowed = Math.max(1, Math.ceil(given.length / 3)),
): string[] {
  // Longer than any name could be: not a misspelling, and not worth the arithmetic.
  if (given.length > 64) return [];
  const lowerCase = given.toLowerCase();
  let least = allowed;
  let nearest: string[] = [];
  for (const name of names) {
    const distance = editDistance(lowerCase, name, least);
    if (distance > least) continue;
    if (distance < least) nearest = [];
    least = distance;
    nearest.push(name);
  }
  return nearest;
}

/**
 * Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours.
 *
 * @param limit - largest distance of interest. Only as many cells on both sides of the diagonal are computed; a larger
 *   distance is returned as Infinity
 */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => (j <= limit ? j : Number.POSITIVE_INFINITY));
  let leastOfLast = 0;
  for (let i = 1; i <= a.length; i++) {
    const row = new Array<number>(b.length + 1).fill(Number.POSITIVE_INFINITY);
    row[0] = i;
    let leastOfRow = Number.POSITIVE_INFINITY;
    for (let j = Math.max(1, i - limit); j <= Math.min(b.length, i + limit); j++) {
      const substitution = (last[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const insertion = (row[j - 1] as number) + 1;
      const deletion = (last[j] as number) + 1;
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (beforeLast[j - 2] as number) + 1 : Number.POSITIVE_INFINITY;
      const cell = Math.min(substitution, insertion, deletion, swap);
      row[j] = cell;
      leastOfRow = Math.min(leastOfRow, cell);
    }
    // A swap continues from the row before the last.
    if (leastOfRow > limit && leastOfLast > limit) return Number.POSITIVE_INFINITY;
    leastOfLast = leastOfRow;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
