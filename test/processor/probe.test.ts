import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { createHealth } from '../../src/processor/serving/health.ts';

const health = createHealth([]);
const server = createServer(
  connectNodeAdapter({ routes: (router) => router.service(Health, health.service) }),
);

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

async function probe(port: number) {
  const child = spawn(process.execPath, ['src/processor/probe.ts'], {
    env: { PORT: String(port) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [output, [exitCode]] = await Promise.all([child.stdout.toArray(), once(child, 'close')]);
  return { exitCode, output: Buffer.concat(output).toString().trim() };
}

describe('src/processor/probe.ts', () => {
  const port = () => (server.address() as AddressInfo).port;

  it('exits with 0 while the processor serves', async () => {
    health.setServing(true);
    expect(await probe(port())).toEqual({ exitCode: 0, output: 'SERVING' });
  });

  it('exits with 1 while the processor drains', async () => {
    health.setServing(false);
    expect(await probe(port())).toEqual({ exitCode: 1, output: 'NOT_SERVING' });
  });

  it('exits with 1 when nothing listens', async () => {
    const free = createServer().listen(0, '127.0.0.1');
    await once(free, 'listening');
    const { port } = free.address() as AddressInfo;
    await new Promise<void>((resolve) => void free.close(() => resolve()));
    expect(await probe(port)).toEqual({
      exitCode: 1,
      output: expect.stringContaining('ECONNREFUSED'),
    });
  });
});
