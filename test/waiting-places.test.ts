import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createWaitingPlaces, type WaitingLimits } from '../src/waiting-places.ts';

/** Places, and the names of those that were ended, with the reasons. */
function start(limits: WaitingLimits) {
  const places = createWaitingPlaces(limits);
  const ended: string[] = [];
  const enter = (caller: string, name: string) =>
    places.enter(caller, ({ why, limit }) => void ended.push(`${name} ${why} ${limit}`));
  return { places, ended, enter };
}

describe(createWaitingPlaces, () => {
  it('refuses a caller that is at its limit, and no other caller', () => {
    const { places, enter } = start({ total: 10, perCaller: 2 });
    enter('a', 'a1');
    enter('a', 'a2');
    expect(places.limitFor('a')).toEqual({ limit: 2, isPerCaller: true });
    expect(places.limitFor('b')).toBeUndefined();
  });

  it('does not count things in work', () => {
    const { places, enter } = start({ total: 2, perCaller: 1 });
    const place = enter('a', 'a1');
    place.work();
    expect(places.waiting()).toBe(0);
    expect(places.limitFor('a')).toBeUndefined();
    place.wait();
    expect(places.limitFor('a')).toEqual({ limit: 1, isPerCaller: true });
    place.leave();
    place.wait();
    expect(places.waiting()).toBe(0);
  });

  it('takes a place from the caller with most of them, the one that has waited longest', () => {
    const { places, ended, enter } = start({ total: 4, perCaller: 10 });
    const longest = enter('a', 'a1');
    for (const name of ['a2', 'a3', 'a4']) enter('a', name);
    longest.work();
    longest.wait();
    expect(places.limitFor('a')).toEqual({ limit: 4, isPerCaller: false });
    expect(places.limitFor('b')).toBeUndefined();
    enter('b', 'b1');
    expect(ended).toEqual(['a2 crowded 4']);
    enter('b', 'b2');
    expect(ended).toEqual(['a2 crowded 4', 'a3 crowded 4']);
    // Both have two now.
    expect(places.limitFor('b')).toEqual({ limit: 4, isPerCaller: false });
    expect(places.waiting()).toBe(4);
  });

  it('ends the longest wait of a caller that waits again beyond its limit', () => {
    const { ended, enter } = start({ total: 10, perCaller: 1 });
    const first = enter('a', 'a1');
    first.work();
    enter('a', 'a2');
    first.wait();
    expect(ended).toEqual(['a2 crowded 1']);
  });

  it('ends a wait that takes too long, once', async () => {
    const { places, ended, enter } = start({ total: 10, perCaller: 10, timeoutMs: 20 });
    const late = enter('a', 'late');
    enter('a', 'stays').stay();
    enter('a', 'works').work();
    await sleep(200);
    late.wait();
    await sleep(100);
    expect(ended).toEqual(['late late 20']);
    expect(places.waiting()).toBe(1);
  });
});
