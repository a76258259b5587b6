import type { ServerHttp2Session } from 'node:http2';
import { callerOfAddress, parseAddress } from '../../caller.ts';
import { createWaitingPlaces, type WaitingLimits } from '../../waiting-places.ts';

/** A client that speaks HTTP/2 sends its preface and settings at once. */
const prefaceTimeoutMs = 10_000;

/** Milliseconds in which a peer may take the GOAWAY of its idle connection. */
const closeMs = 1_000;

/** For a server's new sessions: bounds those without a call, by the peer's address, and ends them when they are idle. */
export function limitIdleConnections(limits: WaitingLimits): (session: ServerHttp2Session) => void {
  const places = createWaitingPlaces(limits);
  return (session) => {
    const caller = callerOfAddress(parseAddress(session.socket.remoteAddress ?? ''));
    const destroy = () => session.destroy();
    let timer = setTimeout(destroy, prefaceTimeoutMs);
    session.once('remoteSettings', () => clearTimeout(timer));
    const place = places.enter(caller, () => {
      session.close();
      clearTimeout(timer);
      timer = setTimeout(destroy, closeMs);
    });
    let calls = 0;
    session.on('stream', (stream) => {
      if (calls++ === 0) place.work();
      stream.once('close', () => {
        if (--calls === 0) place.wait();
      });
    });
    session.once('close', () => {
      clearTimeout(timer);
      place.leave();
    });
  };
}

/** The sessions whose peer has sent nothing. A server that closes would wait for them: they get no GOAWAY before the settings. */
export function createSilentSessions() {
  const silent = new Set<ServerHttp2Session>();
  return {
    add(session: ServerHttp2Session): void {
      silent.add(session);
      const leave = () => silent.delete(session);
      session.once('remoteSettings', leave);
      session.once('close', leave);
    },
    /** Ends them at once. */
    end(): void {
      for (const session of silent) session.destroy();
    },
  };
}
