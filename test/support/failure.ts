import { Failure } from '../../src/failures.ts';

/** The failure that a function throws; undefined where it returns. */
export function failureOf(run: () => unknown): Failure | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

/** The failure that a promise rejects with; undefined where it resolves. */
export async function failureOfPromise(promise: Promise<unknown>): Promise<Failure | undefined> {
  return promise.then(
    () => undefined,
    (error: unknown) =>
      failureOf(() => {
        throw error;
      }),
  );
}
