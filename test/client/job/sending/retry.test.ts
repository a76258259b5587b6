import { describe, expect, it } from 'vitest';
import { waitBeforeRetry } from '../../../../src/client/job/sending/retry.ts';
import { ServiceLoad } from '../../../../src/client/job/sending/service-load.ts';
import { Hosts } from '../../../../src/client/job/sources/hosts.ts';

const limits = { tries: 5, perHost: 8, hostPatienceMs: 60_000 };

/** The waits in seconds after each failure, until the image fails for good. */
function waits(reason: string, metadata: Record<string, string> = {}): number[] {
  const hosts = new Hosts(limits);
  const service = new ServiceLoad(8, 60_000);
  const image = { source: { url: 'http://h/a' }, output: 'a' };
  const attempts = { image, refused: 0, busySinceMs: undefined };
  const seconds: number[] = [];
  for (let count = 0; count < 10; count++) {
    const retry = waitBeforeRetry(attempts, { reason, message: 'No.', metadata }, hosts, service, limits);
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
    expectWaits(waits('OVERLOADED').slice(0, 7), [1, 2, 4, 8, 16, 30, 30]);
    expectWaits(waits('ORIGIN_TIMEOUT'), [1, 2, 4, 8]);
    expectWaits(waits('ORIGIN_BUSY', { status: '500' }), [5, 5, 5, 8]);
  });

  it('waits as long as the failure states, without doubling the wait', () => {
    expectWaits(waits('ORIGIN_BUSY', { status: '500', retry_after_seconds: '60' }).slice(0, 1), [60]);
    expectWaits(waits('OVERLOADED', { retry_after_seconds: '60' }).slice(0, 4), [60, 60, 60, 60]);
    const limited = waits('RATE_LIMITED', { retry_after_seconds: '7' });
    expect(limited.map(Math.round)).toEqual(Array(10).fill(7));
  });

  it("counts the load of the service as none of an image's tries", () => {
    expect(waits('OVERLOADED').length).toBe(10);
    expect(waits('ORIGIN_TIMEOUT').length).toBe(4);
  });

  it("counts what a host asks of all its images as none of an image's tries", () => {
    // Ten failures are fewer than 60 s ask for.
    expect(waits('ORIGIN_BUSY', { status: '503', retry_after_seconds: '7' }).length).toBe(10);
    expect(waits('ORIGIN_BUSY', { status: '429' }).length).toBe(10);
    expect(waits('ORIGIN_BUSY', { status: '503' }).length).toBe(4);
  });
});
