import { Code, ConnectError, createClient, createHandlerContext } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, it } from 'vitest';
import {
  Health,
  HealthCheckResponse_ServingStatus as Status,
} from '../../../gen/grpc/health/v1/health_pb.ts';
import { createHealth } from '../../../src/processor/serving/health.ts';
import { startRpcServer } from '../../support/rpc-server.ts';
import { run } from '../../support/run.ts';
import { grpcurl } from '../../support/tools.ts';

async function startHealth() {
  const health = createHealth(['image.v1.ProcessorService']);
  const server = await startRpcServer((router) => router.service(Health, health.service));
  const transport = createGrpcTransport({ baseUrl: server.url });
  return { health, server, client: createClient(Health, transport) };
}

const nameOf = (status: Status) => Object.entries(Status).find(([, value]) => value === status)?.[0];

/** The statuses of a Watch, read one by one. */
function statuses(responses: AsyncIterable<{ status: Status }>) {
  const iterator = responses[Symbol.asyncIterator]();
  return async () => {
    const next = await iterator.next();
    return next.done ? 'end' : nameOf(next.value.status);
  };
}

describe(createHealth, () => {
  it('reports SERVING from the start, for the server as a whole and for each service', async () => {
    const { server, client } = await startHealth();
    await using _ = server;
    expect((await client.check({ service: '' })).status).toBe(Status.SERVING);
    expect((await client.check({ service: 'image.v1.ProcessorService' })).status).toBe(Status.SERVING);
  });

  it('fails the Check of an unknown service with NOT_FOUND', async () => {
    const { server, client } = await startHealth();
    await using _ = server;
    const error = await client.check({ service: 'image.v2.ProcessorService' }).catch(ConnectError.from);
    expect(error).toMatchObject({
      code: Code.NotFound,
      rawMessage: 'unknown service "image.v2.ProcessorService"',
    });
  });

  it('lists the server and its services, each with its status', async () => {
    const { health, server, client } = await startHealth();
    await using _ = server;
    health.setServing(false);
    const { statuses } = await client.list({});
    expect(Object.entries(statuses).map(([name, { status }]) => [name, status])).toEqual([
      ['', Status.NOT_SERVING],
      ['image.v1.ProcessorService', Status.NOT_SERVING],
    ]);
  });

  it('sends a Watch the status at once and at each change', async () => {
    const { health, server, client } = await startHealth();
    await using _ = server;
    const next = statuses(client.watch({ service: '' }));
    expect(await next()).toBe('SERVING');
    health.setServing(false);
    expect(await next()).toBe('NOT_SERVING');
    health.setServing(true);
    expect(await next()).toBe('SERVING');
    expect((await client.check({})).status).toBe(Status.SERVING);
  });

  it('sends a Watch nothing if the status does not change', async () => {
    const { health, server, client } = await startHealth();
    await using _ = server;
    const next = statuses(client.watch({ service: '' }));
    expect(await next()).toBe('SERVING');
    const following = next();
    health.setServing(true);
    await client.check({});
    health.setServing(false);
    expect(await following).toBe('NOT_SERVING');
  });

  it('sends SERVICE_UNKNOWN to a Watch of an unknown service and keeps the call', async () => {
    const { health, server, client } = await startHealth();
    await using _ = server;
    const next = statuses(client.watch({ service: 'image.v2.ProcessorService' }));
    expect(await next()).toBe('SERVICE_UNKNOWN');
    const following = next();
    health.setServing(false);
    await client.check({});
    health.close();
    expect(await following).toBe('end');
  });

  it('ends a Watch when its caller leaves', async () => {
    const { service } = createHealth([]);
    const caller = new AbortController();
    const context = createHandlerContext({
      service: Health,
      method: Health.method.watch,
      protocolName: 'grpc',
      requestMethod: 'POST',
      url: 'http://127.0.0.1/',
      requestSignal: caller.signal,
    });
    const next = statuses(
      service.watch({ $typeName: 'grpc.health.v1.HealthCheckRequest', service: '' }, context),
    );
    expect(await next()).toBe('SERVING');
    const following = next();
    caller.abort();
    expect(await following).toBe('end');
  });

  it('sends NOT_SERVING to watchers when the server drains, and ends their calls', async () => {
    const { health, server, client } = await startHealth();
    const next = statuses(client.watch({ service: '' }));
    expect(await next()).toBe('SERVING');
    const drained = server.drain();
    health.close();
    expect(await next()).toBe('NOT_SERVING');
    expect(await next()).toBe('end');
    await drained;
  });

  it('ends a Watch that starts after closing, once NOT_SERVING is sent', async () => {
    const { health, server, client } = await startHealth();
    await using _ = server;
    health.close();
    const next = statuses(client.watch({ service: '' }));
    expect(await next()).toBe('NOT_SERVING');
    expect(await next()).toBe('end');
  });

  it.skipIf(grpcurl === undefined)('is understood by grpcurl', async () => {
    const { server } = await startHealth();
    await using _ = server;
    const result = await run(grpcurl ?? '', [
      '-plaintext',
      '-import-path',
      'proto',
      '-proto',
      'grpc/health/v1/health.proto',
      server.address,
      'grpc.health.v1.Health/Check',
    ]);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(result.stdout.toString())).toEqual({ status: 'SERVING' });
  });
});
