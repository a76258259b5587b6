import { addAbortListener } from 'node:events';
import { failureFromAbort } from '../failures.ts';

/** Work for equal keys is done once for all who ask while it is under way. */
export interface SingleFlight<T> {
  /**
   * Does `work`, or joins the work that is under way for the same key; `shared` is true for who joined.
   *
   * `work` gets a signal of its own, which aborts when the last of its callers has left, and not before:
   * the first caller's leaving must not fail the second. A rejection goes to all present callers and isn't
   * remembered.
   *
   * @param signal - this caller's own; when it aborts, this caller alone is rejected, at once
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

/** Starts with nothing under way. */
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

  /** Abandoned work may end after its successor has started under the same key: that one stays. */
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
