import { Socket } from 'node:net';

/**
 * Notes every address that this process's sockets set out to connect to, TLS ones too, until it is disposed of: Node
 * tells it right before it asks the system to connect, so nothing that is not listed here was ever sent a packet.
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
