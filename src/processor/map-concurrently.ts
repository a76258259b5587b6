interface Read<In> {
  readonly kind: 'read';
  readonly result: IteratorResult<In>;
}

interface Done<Out> {
  readonly kind: 'done';
  readonly output: Out;
  readonly work: Promise<Done<Out>>;
}

/**
 * Maps with at most `concurrency` inputs in work and yields each output when it is ready. It reads no
 * further than it works, so whoever sends is held back.
 *
 * @param map - must not throw: a failure is an output
 */
export async function* mapConcurrently<In, Out>(
  inputs: AsyncIterable<In>,
  concurrency: number,
  map: (input: In) => Promise<Out>,
): AsyncGenerator<Out> {
  const iterator = inputs[Symbol.asyncIterator]();
  const working = new Set<Promise<Done<Out>>>();
  let reading: Promise<Read<In>> | undefined;
  let ended = false;
  try {
    while (!ended || working.size > 0) {
      if (!ended && working.size < concurrency) reading ??= read();
      const first = await Promise.race<Read<In> | Done<Out>>([...(reading ? [reading] : []), ...working]);
      if (first.kind === 'done') {
        working.delete(first.work);
        yield first.output;
        continue;
      }
      reading = undefined;
      if (first.result.done) ended = true;
      else working.add(start(first.result.value));
    }
  } finally {
    await iterator.return?.();
  }

  async function read(): Promise<Read<In>> {
    return { kind: 'read', result: await iterator.next() };
  }

  function start(input: In): Promise<Done<Out>> {
    const work: Promise<Done<Out>> = map(input).then((output) => ({ kind: 'done', output, work }));
    return work;
  }
}
