import { describe, expect, it } from 'vitest';
import { ServiceLoad } from '../../../../src/client/job/sending/service-load.ts';

const full = { reason: 'OVERLOADED', message: 'Full.' };
const limited = { reason: 'RATE_LIMITED', message: 'Wait.' };

/** A service with a clock that only the test moves. */
function watched(inFlight = 32, patienceMs = 60_000) {
  const clock = { nowMs: 1_000_000 };
  const service = new ServiceLoad(inFlight, patienceMs, () => clock.nowMs);
  /** Sends as many images as it may, and returns how many. */
  const sendAll = () => {
    let count = 0;
    for (; service.pace.maySend(); count++) service.pace.send();
    return count;
  };
  const receive = (count: number) => {
    for (let at = 0; at < count; at++) service.pace.receive();
  };
  return { clock, service, sendAll, receive };
}

describe(ServiceLoad, () => {
  it('begins with 8 images at once, and goes up to the most by successes', () => {
    const { service, sendAll, receive } = watched();
    expect(sendAll()).toBe(8);
    receive(8);
    for (let at = 0; at < 40; at++) service.succeed();
    expect(sendAll()).toBe(18);
    receive(18);
    for (let at = 0; at < 400; at++) service.succeed();
    expect(sendAll()).toBe(32);
    expect(watched(3).sendAll()).toBe(3);
  });

  it('sends half as many after a refusal, once for all that were in flight together', () => {
    const { service, sendAll, receive, clock } = watched();
    expect(sendAll()).toBe(8);
    for (let at = 0; at < 8; at++) {
      receive(1);
      expect(service.refuse(full, clock.nowMs, 1000)).toBe(1000);
    }
    expect(sendAll()).toBe(4);
  });

  it('sends nothing before the time that a rate limit names', () => {
    const { service, sendAll, clock } = watched();
    expect(service.refuse(limited, clock.nowMs, 7000)).toBe(7000);
    clock.nowMs += 1000;
    expect(service.refuse(limited, clock.nowMs, 3000)).toBe(6000);
    clock.nowMs += 5900;
    expect(sendAll()).toBe(0);
    clock.nowMs += 100;
    expect(sendAll()).toBeGreaterThan(0);
  });

  it('fails an image that is refused for the patience while others succeed', () => {
    const { service, clock } = watched();
    const since = clock.nowMs;
    clock.nowMs += 61_000;
    service.succeed();
    expect(service.refuse(full, since, 30_000, 1000)).toBe(30_000);
    clock.nowMs += 1000;
    expect(service.refuse(full, since, 30_000, 1000)).toBeUndefined();
    // A rate limit fails no image.
    expect(service.refuse(limited, since, 1000)).toBe(1000);
  });

  it('ends the job when no image succeeds for the patience and the time that the service names', () => {
    const { service, clock } = watched();
    const since = clock.nowMs;
    clock.nowMs += 259_000;
    expect(service.refuse(limited, since, 100_000)).toBe(100_000);
    clock.nowMs += 1000;
    expect(() => service.refuse(limited, since, 100_000)).toThrow(
      expect.objectContaining({ end: 'unavailable', reason: 'RATE_LIMITED', message: 'Wait.' }),
    );
  });
});
