import { setImmediate as settle } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createDownloadPlaces } from '../../../src/processor/source/download-places.ts';

const never = new AbortController().signal;

/** Places, and downloads that end when a test says so. */
function createBench(maxRunning: number, maxWaiting: number) {
  const places = createDownloadPlaces(maxRunning, maxWaiting);
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const add = (name: string, origin: string, caller: string, signal = never) =>
    places
      .run(
        () => {
          begun.push(name);
          return new Promise<void>((resolve) => ends.set(name, resolve));
        },
        { origin, caller },
        signal,
      )
      .then(
        () => 'done',
        (error: unknown) => error,
      );
  const end = async (name: string) => {
    ends.get(name)?.();
    await settle();
  };
  return { places, begun, add, end };
}

describe(createDownloadPlaces, () => {
  it('gives one origin at most half of the places, for any callers', async () => {
    const { begun, add } = createBench(4, 8);
    for (const name of ['a', 'b', 'c']) void add(name, 'slow', name);
    void add('other', 'fast', 'd');
    await settle();
    expect(begun).toEqual(['a', 'b', 'other']);
  });

  it('gives one caller at most half of the places, for any origins', async () => {
    const { begun, add } = createBench(4, 8);
    for (const name of ['a', 'b', 'c']) void add(name, name, 'greedy');
    void add('other', 'd', 'modest');
    await settle();
    expect(begun).toEqual(['a', 'b', 'other']);
  });

  it('starts waiting downloads in order, passing over those whose half is taken', async () => {
    const { begun, add, end } = createBench(2, 8);
    for (const name of ['slow 1', 'slow 2', 'slow 3']) void add(name, 'slow', name);
    void add('fast 1', 'fast', 'x');
    void add('fast 2', 'fast', 'y');
    await settle();
    expect(begun).toEqual(['slow 1', 'fast 1']);
    await end('fast 1');
    expect(begun).toEqual(['slow 1', 'fast 1', 'fast 2']);
    await end('slow 1');
    expect(begun.at(-1)).toBe('slow 2');
  });

  it('gives one origin and one caller at most half of the queue', async () => {
    const { places, add } = createBench(1, 4);
    void add('runs', 'a', 'a');
    void add('waits', 'slow', 'b');
    void add('waits too', 'slow', 'c');
    expect(await add('too many', 'slow', 'd')).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { bound: 'origin', limit: '2', actual: '3', retry_after_seconds: '2' },
    });
    void add('greedy', 'x', 'b');
    expect(await add('too greedy', 'y', 'b')).toMatchObject({ metadata: { bound: 'caller' } });
    void add('other', 'z', 'e');
    expect(places.waiting).toBe(4);
  });

  it('refuses downloads beyond the limit of the queue', async () => {
    const { add } = createBench(1, 2);
    void add('runs', 'a', 'a');
    void add('waits', 'b', 'b');
    void add('waits too', 'c', 'c');
    expect(await add('too many', 'd', 'd')).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { bound: 'all', limit: '2', actual: '3' },
    });
  });

  it('frees a place when a download succeeds, fails or is aborted while it waits', async () => {
    const { places, add, end } = createBench(1, 4);
    const left = new AbortController();
    const done = add('runs', 'a', 'a');
    const gone = add('waits', 'b', 'b', left.signal);
    left.abort();
    expect(await gone).toMatchObject({ reason: 'CANCELLED' });
    await end('runs');
    expect(await done).toBe('done');
    await expect(
      places.run(() => Promise.reject(new Error('broken')), { origin: 'c', caller: 'c' }, never),
    ).rejects.toThrow('broken');
    expect([places.running, places.waiting]).toEqual([0, 0]);
  });
});
