import type { ServerHttp2Stream } from 'node:http2';
import { Failure } from '../../failures.ts';
import { createWaitingPlaces, type WaitingLimits } from '../../waiting-places.ts';

/** Watches a call until its message has arrived whole. */
export type WatchMessage = (
  stream: ServerHttp2Stream,
  caller: string,
  fail: (failure: Failure) => void,
) => void;

/**
 * Bounds the calls whose message is still on its way, which cost their callers nothing. Over a limit the call that has
 * waited longest gives way: a new one usually has its message within milliseconds.
 *
 * @returns a function whose `fail` is called at most once, with DEADLINE_EXCEEDED or OVERLOADED
 */
export function createMessageWatch(limits: WaitingLimits): WatchMessage {
  const places = createWaitingPlaces(limits);
  return (stream, caller, fail) => {
    if (stream.endAfterHeaders) return;
    const place = places.enter(caller, ({ why, limit }) => {
      fail(why === 'late' ? tooLate(limit) : tooMany(limit));
    });
    stream.once('end', place.leave).once('close', place.leave);
  };
}

function tooLate(limit: number): Failure {
  return new Failure(
    'DEADLINE_EXCEEDED',
    `The message of the call had not arrived whole after ${limit} ms. Send it faster, or a smaller one.`,
    { limit },
  );
}

function tooMany(limit: number): Failure {
  return new Failure(
    'OVERLOADED',
    `More than ${limit} calls waited for the rest of their message, and this one had waited longest. Send fewer at once.`,
    { limit, actual: limit + 1 },
  );
}
