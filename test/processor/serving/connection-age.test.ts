import { once } from 'node:events';
import { connect, constants, createServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { limitConnectionAge } from '../../../src/processor/serving/connection-age.ts';

const cleanups: (() => void)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0).reverse()) cleanup();
});

/** A connection with one call whose response has started. */
async function startCall(maxAgeMs: number) {
  const server = createServer();
  server.on('session', limitConnectionAge(maxAgeMs));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  cleanups.push(() => {
    session.destroy();
    server.close();
  });
  const arrived = once(server, 'stream') as Promise<[ServerHttp2Stream]>;
  const call = session.request({ ':path': '/' });
  const [stream] = await arrived;
  stream.respond({ ':status': 200 });
  return { session, call, stream };
}

describe(limitConnectionAge, () => {
  it('sends GOAWAY at that age, lets the call in flight finish, and then ends the connection', async () => {
    const { session, call, stream } = await startCall(20);
    const [code] = (await once(session, 'goaway')) as [number];
    expect(code).toBe(constants.NGHTTP2_NO_ERROR);
    const closed = once(session, 'close');
    stream.end('done');
    expect(String((await call.setEncoding('utf8').toArray()).join(''))).toBe('done');
    await closed;
  });

  it('does not limit the age of connections with 0', async () => {
    const eternal = await startCall(0);
    const mortal = await startCall(20);
    await once(mortal.session, 'goaway');
    expect(eternal.session.closed).toBe(false);
    eternal.stream.end('done');
    expect((await eternal.call.setEncoding('utf8').toArray()).join('')).toBe('done');
    // It accepts another call.
    eternal.session.request({ ':path': '/' }).end();
    expect(eternal.session.destroyed).toBe(false);
  });
});
