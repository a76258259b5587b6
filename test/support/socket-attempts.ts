import { Socket } from 'node:net';

/**
 * Records every address to which this process's sockets try to connect, with or without TLS, until it is disposed of.
 * Node reports an address right before the system call, so no packet was sent to an address that is not listed.
 */
export function watchSocketAttempts() {
  const attempts: string[] = [];
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function watched(this: Socket, ...options: never[]) {
    this.on('connectionAttempt', (ip: string, port: number) => attempts.push(`${ip} ${port}`));
    return Reflect.apply(connect, this, options) as Socket;
  } as typeof connect;
  return {
    /** `address port`, oldest first. */
    attempts,
    [Symbol.dispose]() {
      Socket.prototype.connect = connect;
    },
  };
}
