import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createProcessorConnection } from '../../../src/api/upstream/processor-connection.ts';

describe(createProcessorConnection, () => {
  it("connects to the address, and names the URL's host as the authority", async () => {
    const server = createServer();
    const authority = new Promise((resolve) => {
      server.on('stream', (stream, headers) => {
        resolve(headers[':authority']);
        stream.on('error', () => {}).close();
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const connection = createProcessorConnection(`http://processors.example:${port}`, '127.0.0.1');
    const stream = await connection.request('POST', '/', {}, {});
    stream.on('error', () => {});
    expect(await authority).toBe(`processors.example:${port}`);
    connection.abort();
    server.close();
  });
});
