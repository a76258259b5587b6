import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failures.ts';
import { createSingleFlight } from '../../src/processor/single-flight.ts';

/** Work whose end the test decides. */
function startedWork<T>() {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const signals: AbortSignal[] = [];
  const work = (signal: AbortSignal) => {
    signals.push(signal);
    return promise;
  };
  return { work, resolve, reject, signals };
}

const stays = () => new AbortController().signal;

describe(createSingleFlight, () => {
  it('does the work for equal keys once and reports which callers joined', async () => {
    const flights = createSingleFlight<number>();
    const { work, resolve, signals } = startedWork<number>();
    const answers = [1, 2, 3].map(() => flights.run('a', stays(), work));
    resolve(7);
    expect(await Promise.all(answers)).toEqual([
      { value: 7, shared: false },
      { value: 7, shared: true },
      { value: 7, shared: true },
    ]);
    expect(signals).toHaveLength(1);
  });

  it('does the work for different keys separately', async () => {
    const flights = createSingleFlight<string>();
    const answers = ['a', 'b'].map((key) => flights.run(key, stays(), async () => key));
    expect(await Promise.all(answers)).toEqual([
      { value: 'a', shared: false },
      { value: 'b', shared: false },
    ]);
  });

  it('keeps no result once the work is done', async () => {
    const flights = createSingleFlight<number>();
    await flights.run('a', stays(), async () => 1);
    expect(await flights.run('a', stays(), async () => 2)).toEqual({ value: 2, shared: false });
  });

  it('rejects all callers with the error of the work, and runs it again for the next caller', async () => {
    const flights = createSingleFlight<number>();
    const { work, reject } = startedWork<number>();
    const answers = [1, 2].map(() => flights.run('a', stays(), work));
    const error = new Error('broken');
    reject(error);
    const ends = await Promise.allSettled(answers);
    expect(ends.map((end) => end.status === 'rejected' && end.reason === error)).toEqual([true, true]);
    expect(await flights.run('a', stays(), async () => 2)).toEqual({ value: 2, shared: false });
  });

  it('treats work that throws synchronously as rejected', async () => {
    const flights = createSingleFlight<number>();
    const thrown = flights.run('a', stays(), () => {
      throw new Error('at once');
    });
    await expect(thrown).rejects.toThrow('at once');
    expect(await flights.run('a', stays(), async () => 2)).toEqual({ value: 2, shared: false });
  });

  it('rejects a caller that leaves at once, and the others get the result', async () => {
    const flights = createSingleFlight<number>();
    const { work, resolve, signals } = startedWork<number>();
    const first = new AbortController();
    const leaving = flights.run('a', first.signal, work);
    const staying = flights.run('a', stays(), work);
    first.abort();
    await expect(leaving).rejects.toMatchObject({ name: 'Failure', reason: 'CANCELLED' });
    expect(signals[0]?.aborted).toBe(false);
    resolve(7);
    expect(await staying).toEqual({ value: 7, shared: true });
  });

  it("aborts the work's signal when its last caller has left, with that caller's reason", async () => {
    const flights = createSingleFlight<number>();
    const { work, signals } = startedWork<number>();
    const [one, two] = [new AbortController(), new AbortController()];
    const answers = [flights.run('a', one.signal, work), flights.run('a', two.signal, work)];
    one.abort();
    expect(signals[0]?.aborted).toBe(false);
    const late = new Failure('DEADLINE_EXCEEDED', 'late');
    two.abort(late);
    expect(signals[0]?.reason).toBe(late);
    const ends = await Promise.allSettled(answers);
    expect(ends.map((end) => end.status === 'rejected' && end.reason.reason)).toEqual([
      'CANCELLED',
      'DEADLINE_EXCEEDED',
    ]);
  });

  it('starts new work for a caller that comes after all others have left, and keeps it when the old work ends', async () => {
    const flights = createSingleFlight<number>();
    const [old, later] = [startedWork<number>(), startedWork<number>()];
    const only = new AbortController();
    const leaving = flights.run('a', only.signal, old.work);
    only.abort();
    await expect(leaving).rejects.toMatchObject({ reason: 'CANCELLED' });

    const first = flights.run('a', stays(), later.work);
    old.reject(new Error('aborted'));
    // Let the handlers of the old work's end run.
    await new Promise((resolve) => setImmediate(resolve));
    const second = flights.run('a', stays(), later.work);
    later.resolve(2);
    expect(await Promise.all([first, second])).toEqual([
      { value: 2, shared: false },
      { value: 2, shared: true },
    ]);
    expect(later.signals).toHaveLength(1);
  });

  it('does nothing for a caller that had left before', async () => {
    const flights = createSingleFlight<number>();
    const { work, signals } = startedWork<number>();
    await expect(flights.run('a', AbortSignal.abort(), work)).rejects.toMatchObject({ reason: 'CANCELLED' });
    expect(signals).toHaveLength(0);
  });

  it("leaves no listener on a caller's signal, however the work ends", async () => {
    const flights = createSingleFlight<number>();
    const signal = stays();
    await flights.run('a', signal, async () => 1);
    await flights.run('a', signal, () => Promise.reject(new Error('broken'))).catch(() => {});
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
