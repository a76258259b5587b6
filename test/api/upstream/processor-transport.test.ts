import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createClient } from '@connectrpc/connect';
import { describe, expect, it } from 'vitest';
import { Health } from '../../../gen/grpc/health/v1/health_pb.ts';
import { createProcessorTransport } from '../../../src/api/upstream/processor-transport.ts';

describe(createProcessorTransport, () => {
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
    const { transport, close } = createProcessorTransport(
      `http://processors.example:${port}`,
      1024,
      '127.0.0.1',
    );
    const checked = createClient(Health, transport)
      .check({})
      .catch(() => {});
    expect(await authority).toBe(`processors.example:${port}`);
    await checked;
    close();
    server.close();
  });
});
