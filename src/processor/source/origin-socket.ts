import type { Socket } from 'node:net';
import { errors } from 'undici';
import { Failure } from '../../failures.ts';
import { createHeadTidier } from './response-heads.ts';

/** The end of a connection, while a request on it waited for its response. */
class ConnectionEndedError extends Error {
  override readonly name = 'ConnectionEndedError';
  /** undici's code for a closed socket. */
  readonly code = 'UND_ERR_SOCKET';
}

const errorsOfStaleConnections = new WeakSet<object>();

/**
 * Whether a request failed because its reused connection ended before the first byte of the response. Origins close idle
 * connections at any moment, so such a GET is sent again (RFC 9110, 9.2.2 and RFC 9112, 9.3.1).
 */
export function isOfStaleConnection(error: unknown): boolean {
  return typeof error === 'object' && error !== null && errorsOfStaleConnections.has(error);
}

/**
 * Reads everything that arrives on a connection before undici's parser does. Ends the connection when one response
 * exceeds `maxWireBytes`, tidies response heads, and records whether the connection ended before the first byte of a
 * response. Call it before undici has the socket. There may be one request at a time.
 *
 * @param maxWireBytes - most bytes of one response, everything counted
 */
export function watchResponses(socket: Socket, host: string, maxWireBytes: number): void {
  const tidier = createHeadTidier();
  const push = socket.push.bind(socket);
  /** `bytesWritten` when the latest byte arrived; undefined before the first. */
  let writtenAtLastByte: number | undefined;
  let responseBytes = 0;
  /** Whether a request on a reused connection still waits for the first byte of its response. */
  const awaitsFirstByte = (): boolean =>
    writtenAtLastByte !== undefined && socket.bytesWritten > writtenAtLastByte;

  socket.on('error', (error) => {
    // undici itself destroys the connection when time is up. The origin would keep a second request waiting as well.
    if (awaitsFirstByte() && !(error instanceof errors.UndiciError)) errorsOfStaleConnections.add(error);
  });

  function onEnd(): boolean {
    if (awaitsFirstByte()) {
      socket.destroy(new ConnectionEndedError('The origin closed an idle connection.'));
      return false;
    }
    const rest = tidier.rest();
    if (rest.length > 0) push(rest);
    return push(null);
  }

  // Node passes everything it reads from a connection to this method, and null at the end.
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
