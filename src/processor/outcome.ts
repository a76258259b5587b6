/** The outcome of one of several pieces of work. */
export type Outcome<T> = { readonly result: T } | { readonly error: unknown };

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
  map: (result: T) => U,
): readonly Outcome<U>[] {
  return outcomes.map((outcome) => ('error' in outcome ? outcome : { result: map(outcome.result) }));
}
