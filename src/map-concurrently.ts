import { addAbortListener } from 'node:events';

interface Read<In> {
  readonly kind: 'read';
  readonly result: IteratorResult<In>;
}

interface Stopped {
  readonly kind: 'stopped';
}

interface Done<Out> {
  readonly kind: 'done';
  readonly output: Out;
  readonly work: Promise<Done<Out>>;
}

/**
 * Maps with at most `concurrency` inputs in work and yields each output when it is ready. It reads no
 * further than it works, which holds back the sender.
 *
 * @param map - must not throw: a failure is an output
 * @param stop - when it aborts, no more input is read; inputs in work still yield their outputs
 * @returns `stopped` if it aborted before the inputs' end
 */
export async function* mapConcurrently<In, Out>(
  inputs: AsyncIterable<In>,
  concurrency: number,
  map: (input: In) => Promise<Out>,
  stop: AbortSignal,
): AsyncGenerator<Out, 'ended' | 'stopped'> {
  const iterator = inputs[Symbol.asyncIterator]();
  const working = new Set<Promise<Done<Out>>>();
  let reading: Promise<Read<In> | Stopped> | undefined;
  let isInNext = false;
  let endReading = (): void => {};
  let end: 'ended' | 'stopped' | undefined;
  using _listening = addAbortListener(stop, () => endReading());
  try {
    while (end === undefined || working.size > 0) {
      if (end === undefined && working.size < concurrency) reading ??= read();
      const first = await Promise.race([...(reading ? [reading] : []), ...working]);
      if (first.kind === 'done') {
        working.delete(first.work);
        yield first.output;
        continue;
      }
      reading = undefined;
      if (first.kind === 'stopped') end = 'stopped';
      else if (first.result.done) end = 'ended';
      else working.add(start(first.result.value));
    }
    return end;
  } finally {
    const released = iterator.return?.();
    // A generator that still waits for its next input can't be released before that comes.
    if (isInNext) released?.catch(() => {});
    else await released;
  }

  function read(): Promise<Read<In> | Stopped> {
    return new Promise((resolve, reject) => {
      endReading = () => resolve({ kind: 'stopped' });
      if (stop.aborted) return endReading();
      isInNext = true;
      iterator
        .next()
        .finally(() => {
          isInNext = false;
        })
        .then((result) => resolve({ kind: 'read', result }), reject);
    });
  }

  function start(input: In): Promise<Done<Out>> {
    const work: Promise<Done<Out>> = map(input).then((output) => ({ kind: 'done', output, work }));
    return work;
  }
}
