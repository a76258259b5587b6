/** An iterable whose reader can be interrupted. */
export interface Breakable<T> {
  readonly values: AsyncIterable<T>;
  /** Makes the reader throw `error` instead of getting the next value. */
  break(error: unknown): void;
}

/** Passes on the values of `source` until `break` is called. */
export function breakable<T>(source: AsyncIterable<T>): Breakable<T> {
  let broken: { readonly error: unknown } | undefined;
  let onBreak: ((error: unknown) => void) | undefined;

  async function* pass(): AsyncGenerator<T> {
    const iterator = source[Symbol.asyncIterator]();
    try {
      for (;;) {
        // One promise for each value: a promise that outlived them all would keep a reaction for each.
        const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
          if (broken !== undefined) throw broken.error;
          onBreak = reject;
          iterator.next().then(resolve, reject);
        });
        if (next.done) return;
        yield next.value;
      }
    } finally {
      onBreak = undefined;
      // A generator that still waits for its next value can be released only after it has come.
      iterator.return?.()?.catch(() => {});
    }
  }

  return {
    values: pass(),
    break(error) {
      broken ??= { error };
      onBreak?.(error);
    },
  };
}
