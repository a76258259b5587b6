import { addAbortListener } from 'node:events';
import { failureFromAbort } from '../failures.ts';

/** Does the work for equal keys once, for all callers that come while it is in progress. */
export interface SingleFlight<T> {
  /**
   * Does `work`, or joins the work in progress for the same key; `shared` is true for callers that joined.
   *
   * `work` gets its own signal, which aborts only when the last of its callers has left, so that the first caller's
   * leaving does not fail the second. A rejection goes to all present callers and is not kept.
   *
   * @param signal - this caller's own; when it aborts, only this caller is rejected, at once
   * @throws Failure CANCELLED or DEADLINE_EXCEEDED, as `failureFromAbort`
   */
  run(
    key: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ value: T; shared: boolean }>;
}

interface Flight<T> {
  readonly arrival: Promise<T>;
  readonly controller: AbortController;
  callers: number;
}

/** Starts without work in progress. */
export function createSingleFlight<T>(): SingleFlight<T> {
  const flights = new Map<string, Flight<T>>();

  function start(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const arrival = work(controller.signal);
    const flight: Flight<T> = { arrival, controller, callers: 0 };
    flights.set(key, flight);
    const forget = () => forgetFlight(key, flight);
    arrival.then(forget, forget);
    return flight;
  }

  /** Abandoned work may end after other work has started under the same key, which must stay. */
  function forgetFlight(key: string, flight: Flight<T>): void {
    if (flights.get(key) === flight) flights.delete(key);
  }

  function join(key: string, flight: Flight<T>, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        flight.callers -= 1;
        if (flight.callers === 0) {
          forgetFlight(key, flight);
          flight.controller.abort(signal.reason);
        }
        reject(failureFromAbort(signal));
      };
      flight.callers += 1;
      const listening = addAbortListener(signal, leave);
      flight.arrival.finally(listening[Symbol.dispose]).then(resolve, reject);
    });
  }

  return {
    async run(key, signal, work) {
      if (signal.aborted) throw failureFromAbort(signal);
      const underWay = flights.get(key);
      const value = await join(key, underWay ?? start(key, work), signal);
      return { value, shared: underWay !== undefined };
    },
  };
}
