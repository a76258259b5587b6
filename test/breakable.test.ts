import { describe, expect, it } from 'vitest';
import { breakable } from '../src/breakable.ts';

async function* numbers() {
  yield 1;
  yield 2;
}

async function* endless() {
  yield 1;
  await new Promise(() => {});
}

async function collected<T>(values: AsyncIterable<T>) {
  const all: T[] = [];
  const end = await (async () => {
    for await (const value of values) all.push(value);
  })().catch((error: unknown) => error);
  return { all, end };
}

describe(breakable, () => {
  it('passes everything on', async () => {
    expect(await collected(breakable(numbers()).values)).toEqual({ all: [1, 2], end: undefined });
  });

  it('passes on the error of its source', async () => {
    async function* failing() {
      yield 1;
      throw 'broken';
    }
    expect(await collected(breakable(failing()).values)).toEqual({ all: [1], end: 'broken' });
  });

  it('ends a reader that waits for a value that never arrives', async () => {
    const source = breakable(endless());
    setTimeout(() => source.break('enough'), 10);
    expect(await collected(source.values)).toEqual({ all: [1], end: 'enough' });
  });

  it('yields nothing when it is broken before it is read', async () => {
    const source = breakable(numbers());
    source.break('first');
    source.break('second');
    expect(await collected(source.values)).toEqual({ all: [], end: 'first' });
  });
});
