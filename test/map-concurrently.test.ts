import { describe, expect, it } from 'vitest';
import { mapConcurrently } from '../src/map-concurrently.ts';

const never = new AbortController().signal;

/** A source that counts the values read from it, and records its release. */
function source(...values: number[]) {
  const state = { taken: 0, released: false };
  async function* generate() {
    try {
      for (const value of values) {
        state.taken++;
        yield value;
      }
    } finally {
      state.released = true;
    }
  }
  return Object.assign(state, { inputs: generate() });
}

/** Work for each input that ends when the test ends it. */
function works() {
  const pending = new Map<number, (output: string) => void>();
  return {
    map: (input: number) => new Promise<string>((resolve) => pending.set(input, resolve)),
    end: (input: number) => pending.get(input)?.(`${input} done`),
    begun: () => [...pending.keys()],
  };
}

async function collected<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

describe(mapConcurrently, () => {
  it('gives an output for each input', async () => {
    const outputs = await collected(
      mapConcurrently(source(1, 2, 3).inputs, 2, async (value) => value * 10, never),
    );
    expect(outputs.sort()).toEqual([10, 20, 30]);
  });

  it('yields nothing without inputs', async () => {
    expect(await collected(mapConcurrently(source().inputs, 2, async (value) => value, never))).toEqual([]);
  });

  it('gives each output when it is ready, in any order', async () => {
    const { map, end } = works();
    const outputs = mapConcurrently(source(1, 2, 3).inputs, 3, map, never);
    const first = outputs.next();
    await settle();
    end(2);
    expect(await first).toEqual({ value: '2 done', done: false });
    end(3);
    expect(await outputs.next()).toEqual({ value: '3 done', done: false });
    end(1);
    expect(await outputs.next()).toEqual({ value: '1 done', done: false });
    expect(await outputs.next()).toEqual({ value: 'ended', done: true });
  });

  it('reads no further than it works', async () => {
    const { map, end, begun } = works();
    const numbers = source(1, 2, 3, 4, 5);
    const outputs = mapConcurrently(numbers.inputs, 2, map, never);
    const first = outputs.next();
    await settle();
    expect([numbers.taken, begun()]).toEqual([2, [1, 2]]);
    end(1);
    await first;
    const second = outputs.next();
    await settle();
    expect([numbers.taken, begun()]).toEqual([3, [1, 2, 3]]);
    end(2);
    await second;
  });

  it('begins no new work while finished outputs are not read', async () => {
    const { map, end, begun } = works();
    const outputs = mapConcurrently(source(1, 2, 3, 4, 5).inputs, 2, map, never);
    const first = outputs.next();
    await settle();
    end(1);
    end(2);
    await first;
    await settle();
    expect(begun()).toEqual([1, 2]);
  });

  it('reads on while outputs are awaited: a sender that waits for an output gets it', async () => {
    const sent = Promise.withResolvers<number>();
    async function* inputs() {
      yield 1;
      yield await sent.promise;
    }
    const outputs = mapConcurrently(inputs(), 4, async (value) => value, never);
    expect((await outputs.next()).value).toBe(1);
    const second = outputs.next();
    sent.resolve(2);
    expect((await second).value).toBe(2);
    expect((await outputs.next()).done).toBe(true);
  });

  it('releases the source when the reader of the outputs leaves', async () => {
    const numbers = source(1, 2, 3);
    for await (const output of mapConcurrently(numbers.inputs, 1, async (value) => value, never)) {
      expect(output).toBe(1);
      break;
    }
    expect(numbers.released).toBe(true);
    expect(numbers.taken).toBeLessThan(3);
  });

  it('fails when the source fails', async () => {
    async function* inputs() {
      yield 1;
      throw new Error('the sender broke off');
    }
    const { map } = works();
    const outputs = mapConcurrently(inputs(), 4, map, never);
    await expect(outputs.next()).rejects.toThrow('the sender broke off');
  });

  describe('when it is stopped', () => {
    /** The outputs, and then how it ended. */
    async function outputsAndEnd<T>(outputs: AsyncGenerator<T, 'ended' | 'stopped'>) {
      const all: (T | string)[] = [];
      for (;;) {
        const { value, done } = await outputs.next();
        all.push(value);
        if (done) return all;
      }
    }

    it('yields the work in progress and reads no more', async () => {
      const { map, end } = works();
      const stop = new AbortController();
      const numbers = source(1, 2, 3, 4);
      const all = outputsAndEnd(mapConcurrently(numbers.inputs, 2, map, stop.signal));
      await settle();
      stop.abort();
      end(1);
      end(2);
      expect(await all).toEqual(['1 done', '2 done', 'stopped']);
      expect([numbers.taken, numbers.released]).toEqual([2, true]);
    });

    it('does not wait for an input that may never come', async () => {
      const stop = new AbortController();
      async function* inputs() {
        yield 1;
        await new Promise(() => {});
      }
      const all = outputsAndEnd(mapConcurrently(inputs(), 4, async (value) => value, stop.signal));
      await settle();
      stop.abort();
      expect(await all).toEqual([1, 'stopped']);
    });

    it('does not begin', async () => {
      const numbers = source(1, 2);
      const all = outputsAndEnd(mapConcurrently(numbers.inputs, 2, works().map, AbortSignal.abort()));
      expect(await all).toEqual(['stopped']);
      expect(numbers.taken).toBe(0);
    });

    it('has ended and was not stopped when all inputs had been read', async () => {
      const stop = new AbortController();
      const { map, end } = works();
      const all = outputsAndEnd(mapConcurrently(source(1).inputs, 2, map, stop.signal));
      await settle();
      stop.abort();
      end(1);
      expect(await all).toEqual(['1 done', 'ended']);
    });
  });
});
