import { describe, expect, it } from 'vitest';
import { waitBeforeRetry } from '../../../../src/client/job/sending/retry.ts';
import { Hosts } from '../../../../src/client/job/sources/hosts.ts';

const limits = { tries: 5, perHost: 8, hostPatienceMs: 60_000 };

/** The waits in seconds after each failure, until the image fails for good. */
function waits(reason: string, metadata: Record<string, string> = {}): number[] {
  const hosts = new Hosts(limits);
  const image = { source: { url: 'http://h/a' }, output: 'a' };
  const attempts = { image, refused: 0, busySinceMs: undefined };
  const seconds: number[] = [];
  for (let count = 0; count < 10; count++) {
    const retry = waitBeforeRetry(attempts, { reason, metadata }, hosts, limits);
    if (retry === undefined || !retry.isSentAgain) break;
    seconds.push(retry.waitMs / 1000);
  }
  return seconds;
}

/** Whether each wait is at least as long as it should be, and at most a quarter longer. */
function expectWaits(actual: readonly number[], expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  for (const [index, seconds] of expected.entries()) {
    expect(actual[index]).toBeGreaterThanOrEqual(seconds);
    expect(actual[index]).toBeLessThanOrEqual(seconds * 1.25);
  }
}

describe(waitBeforeRetry, () => {
  it('waits longer each time where the failure names a short time or none', () => {
    expectWaits(waits('OVERLOADED'), [1, 2, 4, 8]);
    expectWaits(waits('ORIGIN_TIMEOUT'), [1, 2, 4, 8]);
    expectWaits(waits('ORIGIN_BUSY', { status: '500' }), [5, 5, 5, 8]);
  });

  it('waits as long as the failure states, without doubling the wait', () => {
    expectWaits(waits('OVERLOADED', { retry_after_seconds: '60' }), [60, 60, 60, 60]);
  });

  it("counts what a host asks of all its images as none of an image's tries", () => {
    // Ten failures are fewer than 60 s ask for.
    expect(waits('ORIGIN_BUSY', { status: '503', retry_after_seconds: '7' }).length).toBe(10);
    expect(waits('ORIGIN_BUSY', { status: '429' }).length).toBe(10);
    expect(waits('ORIGIN_BUSY', { status: '503' }).length).toBe(4);
  });
});
