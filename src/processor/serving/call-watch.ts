import { constants, type ServerHttp2Stream } from 'node:http2';
import type { DescMethod } from '@bufbuild/protobuf';
import { type ContextValues, createContextKey } from '@connectrpc/connect';
import { breakable } from '../../breakable.ts';
import { streamIdle, streamsOverLimit } from '../../image-stream.ts';
import type { Place, WaitingPlaces } from '../../waiting-places.ts';
import type { WatchMessage } from './half-sent.ts';

/** In a stream's context: where it waits while it has nothing in work. */
export const placeKey = createContextKey<Place>(
  { work() {}, wait() {}, stay() {}, leave() {} },
  { description: 'place' },
);

/** Watches a call while it waits for its caller. @returns the body, which fails when the wait has to end */
export type WatchCall = (
  stream: ServerHttp2Stream,
  method: DescMethod,
  caller: string,
  values: ContextValues,
  body: AsyncIterable<Uint8Array>,
) => AsyncIterable<Uint8Array>;

/** Milliseconds in which a stream that has to end may still take its reason. */
const endMs = 5_000;

/**
 * Bounds streams that have nothing in work, and messages that do not arrive.
 *
 * @param streams - of all streams; a stream finds its own place by `placeKey`
 */
export function createCallWatch(streams: WaitingPlaces, watchMessage: WatchMessage): WatchCall {
  return (stream, method, caller, values, source) => {
    const body = breakable(source);
    if (method.methodKind === 'unary') {
      watchMessage(stream, caller, body.break);
      return body.values;
    }
    const over = streams.limitFor(caller);
    if (over !== undefined) {
      body.break(streamsOverLimit(over));
      return body.values;
    }
    const place = streams.enter(caller, (end) => {
      body.break(streamIdle(end));
      // Neither a caller that reads nothing nor a stream that reads no further takes that reason.
      const timer = setTimeout(() => stream.close(constants.NGHTTP2_CANCEL), endMs);
      stream.once('close', () => clearTimeout(timer));
    });
    stream.once('close', place.leave);
    values.set(placeKey, place);
    return body.values;
  };
}
