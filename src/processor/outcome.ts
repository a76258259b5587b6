/** The outcome of one of several pieces of work. */
export type Outcome<T> = { readonly result: T } | { readonly error: unknown };

/** The outcome of a call. */
export function outcomeOf<T>(call: () => T): Outcome<T> {
  try {
    return { result: call() };
  } catch (error) {
    return { error };
  }
}

/** @throws the error of work that failed */
export function resultOf<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw outcome.error;
  return outcome.result;
}

/** The results of the work that succeeded. */
export function resultsOf<T>(outcomes: readonly Outcome<T>[]): T[] {
  return outcomes.flatMap((outcome) => ('error' in outcome ? [] : [outcome.result]));
}

/** Maps the results; errors keep their places. */
export function mapResults<T, U>(
  outcomes: readonly Outcome<T>[],
  map: (result: T, index: number) => U,
): readonly Outcome<U>[] {
  return outcomes.map((outcome, index) =>
    'error' in outcome ? outcome : { result: map(outcome.result, index) },
  );
}

/**
 * Continues with all results together. Errors keep their places.
 *
 * @param next - returns an outcome for each result, in their order. It is not called without a result
 */
export async function continueWith<T, U>(
  outcomes: readonly Outcome<T>[],
  next: (results: readonly T[]) => Promise<readonly Outcome<U>[]>,
): Promise<readonly Outcome<U>[]> {
  const results = resultsOf(outcomes);
  const rest = results.length === 0 ? [] : [...(await next(results))];
  return outcomes.map((outcome) => ('error' in outcome ? outcome : (rest.shift() as Outcome<U>)));
}
