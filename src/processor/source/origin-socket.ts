import type { Socket } from 'node:net';
import { Failure } from '../../failures.ts';
import { createHeadTidier } from './response-heads.ts';

/** The end of a connection, while a request on it waited for its response. */
class ConnectionEndedError extends Error {
  override readonly name = 'ConnectionEndedError';
  /** undici's own for it. */
  readonly code = 'UND_ERR_SOCKET';
}

const errorsOfStaleConnections = new WeakSet<object>();

/**
 * Whether a request failed because it met the end of a connection that had been kept from an earlier one: not a byte of
 * its response came. Origins close idle connections at any moment, so a GET that meets this is sent again (RFC 9110,
 * 9.2.2 and RFC 9112, 9.3.1).
 */
export function isOfStaleConnection(error: unknown): boolean {
  return typeof error === 'object' && error !== null && errorsOfStaleConnections.has(error);
}

/**
 * Looks at everything that comes over a connection before undici's parser does: ends the connection when one response
 * takes too many bytes, tidies the heads of responses, and notes whether the connection ended although a request on it had
 * no byte of a response. It has to be called before undici has the socket, and with one request at a time.
 *
 * @param maxWireBytes - most bytes of one response, everything counted
 */
export function watchResponses(socket: Socket, host: string, maxWireBytes: number): void {
  const tidier = createHeadTidier();
  const push = socket.push.bind(socket);
  /** `bytesWritten` when the latest byte came; undefined before the first. */
  let writtenAtLastByte: number | undefined;
  let responseBytes = 0;
  /** On a connection that has had a response already. */
  const isUnanswered = (): boolean =>
    writtenAtLastByte !== undefined && socket.bytesWritten > writtenAtLastByte;

  socket.on('error', (error) => {
    if (isUnanswered()) errorsOfStaleConnections.add(error);
  });

  function onEnd(): boolean {
    if (isUnanswered()) {
      socket.destroy(new ConnectionEndedError('The origin closed a connection that had been kept.'));
      return false;
    }
    const rest = tidier.rest();
    if (rest.length > 0) push(rest);
    return push(null);
  }

  // Node gives all that it reads from a connection to this method, and null at its end.
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    if (chunk === null) return onEnd();
    if (socket.bytesWritten !== writtenAtLastByte) {
      writtenAtLastByte = socket.bytesWritten;
      responseBytes = 0;
      tidier.expectHead();
    }
    responseBytes += chunk.length;
    if (responseBytes > maxWireBytes) {
      socket.destroy(tooManyBytes(host, maxWireBytes));
      return false;
    }
    const tidied = tidier.take(chunk);
    return tidied.length === 0 || push(tidied, encoding);
  };
}

function tooManyBytes(host: string, limit: number): Failure {
  return new Failure(
    'ORIGIN_UNREACHABLE',
    `${host} sent more than ${limit} bytes for one response. Check that the URL leads to an image.`,
    { host, limit },
    { isRetryable: false },
  );
}
