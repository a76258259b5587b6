import { describe, expect, it } from 'vitest';
import { createMemoryBudget, mostOfOneCaller } from '../src/memory-budget.ts';

/** 1000 bytes for all, a minute for each request, and a clock that the test sets. */
function thousandBytes() {
  const clock = { ms: 0 };
  return { clock, budget: createMemoryBudget('MAX_BYTES', 1000, 60_000, () => clock.ms) };
}

const overloaded = (limit: number, actual: number) =>
  expect.objectContaining({
    reason: 'OVERLOADED',
    metadata: { limit: String(limit), actual: String(actual) },
  });
const neverEnds = () => {
  throw new Error('nobody has to give up here');
};

describe(createMemoryBudget, () => {
  it('gives the only caller three quarters of all, and no more', () => {
    const { budget } = thousandBytes();
    expect(mostOfOneCaller(1000)).toBe(750);
    budget.open('a').resize(700);
    budget.open('a').resize(50);
    expect(budget.bytes()).toBe(750);
    expect(() => budget.open('a').resize(1)).toThrow(overloaded(747, 751));
  });

  it('leaves room for the next caller, however much the previous one holds', () => {
    const { budget } = thousandBytes();
    budget.open('a').resize(750);
    budget.open('b').resize(187);
    budget.open('c').resize(47);
    expect(() => budget.open('a').resize(1)).toThrow(overloaded(45, 751));
    expect(() => budget.open('d').resize(17)).toThrow(overloaded(1000, 1001));
    budget.open('d').resize(12);
  });

  it('names the variable and both values when all together hold too much', () => {
    const { budget } = thousandBytes();
    budget.open('a').resize(600);
    expect(() => budget.checkRoom('b', 500)).toThrow(
      'Requests under way hold 600 of 1000 bytes (MAX_BYTES), which leaves no room for 500 more.',
    );
  });

  it('keeps the memory of an account where more is refused, and always accepts less', () => {
    const { budget } = thousandBytes();
    const account = budget.open('a');
    account.resize(600);
    expect(() => account.resize(800)).toThrow(overloaded(600, 800));
    expect(account.bytes).toBe(600);
    account.resize(10);
    expect(budget.bytes()).toBe(10);
  });

  it('counts allocated memory without refusing it, and refuses others meanwhile', () => {
    const { budget } = thousandBytes();
    budget.open('a').force(1500);
    expect(() => budget.checkRoom('b', 0)).toThrow(overloaded(1000, 1500));
  });

  it('frees the memory of a closed account, and grants it no more', () => {
    const { budget } = thousandBytes();
    const account = budget.open('a');
    account.resize(700);
    account.close();
    account.resize(5000);
    account.force(5000);
    expect(budget.bytes()).toBe(0);
    budget.open('a').resize(750);
  });

  it('ends transfers that at their pace would miss the deadline, when others need the memory', () => {
    const { clock, budget } = thousandBytes();
    const ended: number[][] = [];
    const slow = budget.open('a');
    slow.resize(600);
    slow.begin({ totalBytes: 600, end: (...how) => ended.push(how) });
    // 19 of 600 bytes in 2 of 60 seconds.
    slow.progress(19);
    clock.ms = 2000;
    budget.open('b').resize(290);
    expect(ended).toEqual([]);
    budget.open('c').resize(400);
    expect(ended).toEqual([[19, 2000]]);
    expect(budget.bytes()).toBe(690);
  });

  it.each([
    ['is in time', 2000, 20],
    ['has only begun', 1000, 0],
  ])('takes nothing from a transfer that %s', (_, ms, doneBytes) => {
    const { clock, budget } = thousandBytes();
    const account = budget.open('a');
    account.resize(600);
    account.begin({ totalBytes: 600, end: neverEnds });
    account.progress(doneBytes);
    clock.ms = ms;
    expect(() => budget.open('b').resize(500)).toThrow(overloaded(1000, 1100));
  });

  it('ends no request that works between two transfers, however long it takes', () => {
    const { clock, budget } = thousandBytes();
    const account = budget.open('a');
    account.resize(600);
    account.begin({ totalBytes: 600, end: neverEnds });
    account.finish();
    clock.ms = 59_000;
    expect(() => budget.open('b').resize(500)).toThrow(overloaded(1000, 1100));
  });

  it('ends a transfer of unknown pace after the time of a request', () => {
    const { clock, budget } = thousandBytes();
    let ends = 0;
    const account = budget.open('a');
    account.resize(600);
    account.begin({ totalBytes: 0, end: () => ends++ });
    account.progress(600);
    clock.ms = 60_000;
    expect(() => budget.open('b').resize(500)).toThrow(overloaded(1000, 1100));
    clock.ms = 60_001;
    budget.open('b').resize(500);
    expect(ends).toBe(1);
  });

  it('ends as few transfers as possible, the largest first, and none where that would not suffice', () => {
    const { clock, budget } = thousandBytes();
    const ended: string[] = [];
    for (const [name, bytes] of [
      ['small', 50],
      ['large', 500],
      ['middle', 200],
    ] as const) {
      const account = budget.open(name);
      account.resize(bytes);
      account.begin({ totalBytes: bytes, end: () => ended.push(name) });
    }
    clock.ms = 2000;
    expect(() => budget.open('b').resize(800)).toThrow(overloaded(1000, 1550));
    expect(ended).toEqual([]);
    budget.open('b').resize(400);
    expect(ended).toEqual(['large']);
  });
});
