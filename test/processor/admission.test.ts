import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/failures.ts';
import { createAdmission } from '../../src/processor/admission.ts';

const never = new AbortController().signal;

/** Work that ends when it is told to, and whether it has begun. */
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

/** Lets everything happen that needs no event from outside. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe(createAdmission, () => {
  it('gives back what the work gives', async () => {
    const admission = createAdmission('images are being processed', 1, 0);
    expect(await admission.run(async () => 'done', never)).toBe('done');
  });

  it('runs as many at once as it may, and the next when one is done', async () => {
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

  it('serves first who came first', async () => {
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

  it('makes a place free when the work fails', async () => {
    const admission = createAdmission('images are being processed', 1, 0);
    await expect(admission.run(() => Promise.reject(new Error('broken')), never)).rejects.toThrow('broken');
    expect(admission.running).toBe(0);
    expect(await admission.run(async () => 'next', never)).toBe('next');
  });

  it('makes a place free when the work throws before its first promise', async () => {
    const admission = createAdmission('images are being processed', 1, 0);
    const run = admission.run(() => {
      throw new Error('broken');
    }, never);
    await expect(run).rejects.toThrow('broken');
    expect(admission.running).toBe(0);
  });

  it('does not begin what nobody waits for any more', async () => {
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

  it('does not begin for a caller who had left before', async () => {
    const admission = createAdmission('images are being processed', 1, 1);
    const work = piece();
    expect(await failureOf(admission.run(work.run, AbortSignal.abort()))).toBe('CANCELLED');
    expect(work.begun).toBe(false);
    expect(admission.running).toBe(0);
  });

  it('lets work end that has begun, whoever leaves: its place is taken until then', async () => {
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
