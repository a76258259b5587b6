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
  // A distance is at least the difference of the lengths.
  const distances = names.map((name) =>
    Math.abs(name.length - given.length) > allowed ? Number.POSITIVE_INFINITY : editDistance(lowerCase, name),
  );
  const least = Math.min(...distances);
  return least > allowed ? [] : names.filter((_, index) => distances[index] === least);
}

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const insertion = (row[j - 1] ?? 0) + 1;
      const deletion = (last[j] ?? 0) + 1;
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swap = isSwap ? (beforeLast[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY;
      row.push(Math.min(substitution, insertion, deletion, swap));
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
