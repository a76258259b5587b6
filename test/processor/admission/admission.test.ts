import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import {
  type AdmissionBounds,
  createAdmission,
  type Price,
} from '../../../src/processor/admission/admission.ts';
import { createSharedMemory } from '../../../src/processor/admission/shared-memory.ts';

const never = new AbortController().signal;

/** Work that ends on command, and whether it has started. */
function piece() {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const work = { begun: false, end: resolve, fail: reject, run: () => promise };
  work.run = () => {
    work.begun = true;
    return promise;
  };
  return work;
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof Failure ? error.reason : error),
  );

/** Runs everything that needs no external event. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe(createAdmission, () => {
  it('returns the result of the work', async () => {
    const admission = createAdmission('images are being processed', 1, 0);
    expect(await admission.run(async () => 'done', never)).toBe('done');
  });

  it('runs work up to its limit, and the next when one is done', async () => {
    const admission = createAdmission('images are being processed', 2, 5);
    const [first, second, third] = [piece(), piece(), piece()];
    const runs = [first, second, third].map((work) => admission.run(work.run, never));
    await settle();
    expect([first.begun, second.begun, third.begun]).toEqual([true, true, false]);
    expect([admission.running, admission.waiting]).toEqual([2, 1]);
    second.end('second');
    await settle();
    expect(third.begun).toBe(true);
    expect([admission.running, admission.waiting]).toEqual([2, 0]);
    first.end('first');
    third.end('third');
    expect(await Promise.all(runs)).toEqual(['first', 'second', 'third']);
    expect([admission.running, admission.waiting]).toEqual([0, 0]);
  });

  it('runs work in order of arrival', async () => {
    const admission = createAdmission('images are being processed', 1, 5);
    const order: number[] = [];
    await Promise.all([1, 2, 3, 4].map((number) => admission.run(async () => order.push(number), never)));
    expect(order).toEqual([1, 2, 3, 4]);
  });

  it('refuses at once when the queue is full, with its limit', async () => {
    const admission = createAdmission('images are being processed', 1, 1);
    const work = piece();
    const runs = [admission.run(work.run, never), admission.run(async () => '', never)];
    await expect(admission.run(async () => '', never)).rejects.toMatchObject({
      reason: 'OVERLOADED',
      metadata: { limit: '1', actual: '2' },
    });
    work.end('');
    await Promise.all(runs);
  });

  it('frees a place when the work fails', async () => {
    const admission = createAdmission('images are being processed', 1, 0);
    await expect(admission.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken');
    expect(admission.running).toBe(0);
    expect(await admission.run(async () => 'next', never)).toBe('next');
  });

  it('frees a place when the work throws synchronously', async () => {
    const admission = createAdmission('images are being processed', 1, 0);
    const run = admission.run(() => {
      throw new Error('broken');
    }, never);
    await expect(run).rejects.toThrow('broken');
    expect(admission.running).toBe(0);
  });

  it('does not start work whose caller has left', async () => {
    const admission = createAdmission('images are being processed', 1, 2);
    const [first, left, last] = [piece(), piece(), piece()];
    const caller = new AbortController();
    const runs = [admission.run(first.run, never), admission.run(left.run, caller.signal)];
    const outcome = failureOf(runs[1] as Promise<string>);
    const next = admission.run(last.run, never);
    caller.abort();
    expect(await outcome).toBe('CANCELLED');
    expect(admission.waiting).toBe(1);
    first.end('');
    await settle();
    expect([left.begun, last.begun]).toEqual([false, true]);
    last.end('');
    await next;
    expect(admission.running).toBe(0);
  });

  it('does not start work for a caller that left before', async () => {
    const admission = createAdmission('images are being processed', 1, 1);
    const work = piece();
    expect(await failureOf(admission.run(work.run, AbortSignal.abort()))).toBe('CANCELLED');
    expect(work.begun).toBe(false);
    expect(admission.running).toBe(0);
  });

  it('keeps the place of started work until it ends, even if its caller leaves', async () => {
    const admission = createAdmission('images are being processed', 1, 0);
    const work = piece();
    const caller = new AbortController();
    const run = admission.run(work.run, caller.signal);
    await settle();
    caller.abort();
    await settle();
    expect(admission.running).toBe(1);
    work.end('done');
    expect(await run).toBe('done');
    expect(admission.running).toBe(0);
  });
});

/** Admission of priced work with a clock that only the test moves, and the started work in order. */
function createBench(maxRunning: number, maxWaiting: number, bounds: AdmissionBounds = {}) {
  const clock = { ms: 0 };
  const admission = createAdmission('images are being processed', maxRunning, maxWaiting, {
    now: () => clock.ms,
    ...bounds,
  });
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  return {
    admission,
    clock,
    begun,
    /** Resolves to the reason if it is refused, else to its result. */
    add(name: string, price: Partial<Price>, remainingMs?: number): Promise<unknown> {
      const work = () => {
        begun.push(name);
        return new Promise<string>((resolve) => ends.set(name, () => resolve('done')));
      };
      const whole = { memoryBytes: 0, workMs: 10, waitingBytes: 0, ...price };
      return admission.run(work, never, whole, remainingMs).catch((error: unknown) => error);
    },
    async end(name: string) {
      await settle();
      ends.get(name)?.();
      await settle();
    },
  };
}

describe('createAdmission, of priced work', () => {
  it('runs the work that fits into memory, and the rest when memory is free again', async () => {
    const { add, end, begun, admission } = createBench(4, 9, { maxMemoryBytes: 100 });
    void add('a', { memoryBytes: 60 });
    void add('b', { memoryBytes: 40 });
    void add('c', { memoryBytes: 1 });
    await settle();
    expect(begun).toEqual(['a', 'b']);
    expect(admission.runningBytes).toBe(100);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    expect(admission.runningBytes).toBe(61);
  });

  it('shares memory with another admission, whose work starts when this one gives it back', async () => {
    const memory = createSharedMemory(100);
    const pictures = createBench(4, 9, { memory });
    const pages = createBench(4, 9, { memory, maxMemoryBytes: 60 });
    void pages.add('page', { memoryBytes: 60 });
    void pages.add('another page', { memoryBytes: 10 });
    void pictures.add('picture', { memoryBytes: 40 });
    void pictures.add('another picture', { memoryBytes: 60 });
    await settle();
    expect([pages.begun, pictures.begun]).toEqual([['page'], ['picture']]);
    expect(await pages.add('large page', { memoryBytes: 61 })).toMatchObject({ metadata: { limit: '60' } });
    expect(await pictures.add('large picture', { memoryBytes: 101 })).toMatchObject({
      metadata: { limit: '100' },
    });
    await pictures.end('picture');
    expect(pictures.begun).toEqual(['picture']);
    await pages.end('page');
    expect([pages.begun, pictures.begun]).toEqual([
      ['page', 'another page'],
      ['picture', 'another picture'],
    ]);
  });

  it('refuses at once work that would never fit, with limit and price', async () => {
    const { add, begun } = createBench(1, 9, { maxMemoryBytes: 100 });
    expect(await add('a', { memoryBytes: 101 })).toMatchObject({
      reason: 'SOURCE_MEMORY_OVER_LIMIT',
      metadata: { limit: '100', actual: '101' },
    });
    void add('b', { memoryBytes: 100 });
    await settle();
    expect(begun).toEqual(['b']);
  });

  it('lets cheap work pass a piece that does not fit, for one second', async () => {
    const { add, end, begun, clock } = createBench(3, 9, { maxMemoryBytes: 100 });
    void add('running', { memoryBytes: 60 });
    void add('large', { memoryBytes: 50 });
    void add('small', { memoryBytes: 10 });
    await settle();
    expect(begun).toEqual(['running', 'small']);
    clock.ms = 1001;
    void add('later', { memoryBytes: 10 });
    await settle();
    expect(begun).toEqual(['running', 'small']);
    await end('running');
    expect(begun).toEqual(['running', 'small', 'large', 'later']);
  });

  it('starts the work behind an image when its caller leaves', async () => {
    const { add, admission, begun, clock } = createBench(3, 9, { maxMemoryBytes: 100 });
    void add('running', { memoryBytes: 60 });
    const caller = new AbortController();
    const price = { memoryBytes: 50, workMs: 10, waitingBytes: 0 };
    const large = failureOf(admission.run(async () => 'large', caller.signal, price));
    clock.ms = 1001;
    void add('small', { memoryBytes: 10 });
    await settle();
    expect(begun).toEqual(['running']);
    caller.abort();
    expect(await large).toBe('CANCELLED');
    await settle();
    expect(begun).toEqual(['running', 'small']);
  });

  it('runs short work first, but no work waits forever', async () => {
    const { add, end, begun, clock } = createBench(1, 9);
    void add('first', { workMs: 10 });
    void add('long', { workMs: 200 });
    void add('short', { workMs: 10 });
    clock.ms = 500;
    void add('short, half a second later', { workMs: 10 });
    clock.ms = 1000;
    // The long one's turn is its arrival plus four times its 200 ms.
    void add('short, a second later', { workMs: 10 });
    for (const name of ['first', 'short', 'short, half a second later', 'long']) await end(name);
    expect(begun).toEqual(['first', 'short', 'short, half a second later', 'long', 'short, a second later']);
  });

  it('gives expensive work a twentieth of the time while cheap work waits', async () => {
    const { add, end, begun, clock } = createBench(1, 9);
    void add('cheap 0', { workMs: 0 });
    void add('dear', { workMs: 300 });
    for (let second = 1; second <= 7; second++) {
      clock.ms = second * 1000;
      void add(`cheap ${second}`, { workMs: 0 });
      await end(`cheap ${second - 1}`);
      if (begun.includes('dear')) break;
    }
    // Six seconds of cheap work have earned 300 ms.
    const cheap = ['cheap 0', 'cheap 1', 'cheap 2', 'cheap 3', 'cheap 4', 'cheap 5'];
    expect(begun).toEqual([...cheap, 'dear']);
  });

  it('does not let expensive work that waits for memory block other work', async () => {
    const { add, end, begun, clock } = createBench(2, 9, { maxMemoryBytes: 100 });
    void add('cheap 0', { memoryBytes: 60 });
    void add('dear', { workMs: 300, memoryBytes: 90 });
    clock.ms = 5000;
    void add('cheap 1', { memoryBytes: 20 });
    await settle();
    expect(begun).toEqual(['cheap 0', 'cheap 1']);
    await end('cheap 0');
    await end('cheap 1');
    expect(begun).toEqual(['cheap 0', 'cheap 1', 'dear']);
  });

  it('keeps a place for cheap work, however much expensive work there is', async () => {
    const { add, end, begun } = createBench(3, 9);
    for (const name of ['dear 1', 'dear 2', 'dear 3']) void add(name, { workMs: 1001 });
    await settle();
    expect(begun).toEqual(['dear 1', 'dear 2']);
    void add('cheap', {});
    await settle();
    expect(begun).toEqual(['dear 1', 'dear 2', 'cheap']);
    await end('dear 1');
    expect(begun).toEqual(['dear 1', 'dear 2', 'cheap', 'dear 3']);
  });

  it('gives expensive work the only place if there is just one', async () => {
    const { add, begun } = createBench(1, 9);
    void add('dear', { workMs: 5000 });
    await settle();
    expect(begun).toEqual(['dear']);
  });

  it('reserves half of the queue for cheap work', async () => {
    const { add, admission } = createBench(1, 4);
    for (const name of ['running', 'dear 1', 'dear 2']) void add(name, { workMs: 1001 });
    expect(await add('dear 3', { workMs: 1001 })).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { limit: '2', actual: '3' },
    });
    void add('cheap 1', {});
    void add('cheap 2', {});
    expect(await add('cheap 3', {})).toMatchObject({ reason: 'OVERLOADED', metadata: { limit: '4' } });
    expect(admission.waiting).toBe(4);
  });

  it('limits the bytes of waiting work', async () => {
    const { add, admission } = createBench(1, 9, { maxWaitingBytes: 100 });
    void add('running', { waitingBytes: 1000 });
    void add('waiting', { waitingBytes: 60 });
    expect(await add('too much', { waitingBytes: 41 })).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { limit: '100', actual: '101' },
    });
    void add('fits', { waitingBytes: 40 });
    await settle();
    expect([admission.waiting, admission.waitingBytes]).toEqual([2, 100]);
  });

  it('refuses at once work that would exceed its caller’s deadline, and states when to retry', async () => {
    const { add, admission, clock } = createBench(2, 9);
    void add('a', { workMs: 240 });
    void add('b', { workMs: 200 });
    void add('c', { workMs: 200 });
    clock.ms = 10;
    // 230 + 190 ms of two workers are ahead of a short one, 200 more of a long one.
    expect(await add('short', { workMs: 20 }, 229)).toMatchObject({ metadata: { actual: '230' } });
    const refused = await add('long', { workMs: 200 }, 509);
    expect(refused).toMatchObject({
      reason: 'OVERLOADED',
      metadata: { limit: '509', actual: '510', retry_after_seconds: '1' },
    });
    void add('long, with time', { workMs: 200 }, 510);
    expect(admission.waiting).toBe(2);
  });

  it('accepts any work when idle: its estimate never refuses it', async () => {
    const { add, begun } = createBench(1, 9);
    void add('a', { workMs: 5000 }, 1);
    await settle();
    expect(begun).toEqual(['a']);
  });

  it('learns how fast this machine is', async () => {
    const { add, end, admission, clock } = createBench(1, 9);
    // Each takes three times as long as expected.
    for (let piece = 0; piece < 60; piece++) {
      void add(String(piece), { workMs: 100 });
      await settle();
      clock.ms += 300;
      await end(String(piece));
    }
    void add('running', { workMs: 100 });
    expect(await add('no time', { workMs: 100 }, 590)).toMatchObject({ reason: 'OVERLOADED' });
    void add('time', { workMs: 100 }, 610);
    expect(admission.waiting).toBe(1);
  });

  it('is not affected by a few pieces that took a thousand times as long', async () => {
    const { add, end, admission, clock } = createBench(1, 9);
    for (let bomb = 0; bomb < 3; bomb++) {
      void add(String(bomb), { workMs: 20 });
      await settle();
      clock.ms += 20_000;
      await end(String(bomb));
    }
    void add('running', { workMs: 100 });
    void add('honest', { workMs: 100 }, 200);
    expect(admission.waiting).toBe(1);
  });

  it('learns nothing from work that failed', async () => {
    const { add, admission, clock } = createBench(1, 9);
    for (let piece = 0; piece < 60; piece++) {
      const failing = async () => {
        clock.ms += 100_000;
        throw new Error('broken');
      };
      await admission.run(failing, never, { memoryBytes: 0, workMs: 1, waitingBytes: 0 }).catch(() => {});
    }
    void add('running', { workMs: 100 });
    void add('time', { workMs: 100 }, 200);
    expect(admission.waiting).toBe(1);
  });

  it('reports before any work that there is no room', () => {
    const { add, admission } = createBench(1, 1, { maxWaitingBytes: 10 });
    admission.checkRoom(11);
    void add('running', {});
    expect(() => admission.checkRoom(11)).toThrow('11 of 10 bytes');
    admission.checkRoom(10);
    void add('waiting', {});
    expect(() => admission.checkRoom(0)).toThrow('1 wait, which is the limit');
  });
});
