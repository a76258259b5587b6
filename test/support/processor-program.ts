import { setTimeout as sleep } from 'node:timers/promises';
import { Health } from '../../gen/grpc/health/v1/health_pb.ts';
import { ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { createHealth } from '../../src/processor/serving/health.ts';
import { startGrpcServer } from '../../src/processor/serving/server.ts';
import { drainOnSignal } from '../../src/shutdown.ts';
import { createLogger } from '../../src/telemetry/telemetry.ts';

/*
 * A processor without pixels in a process of its own: the real server, health and drain, and responses whose `key`
 * names the process. By IPC its parent makes it hold responses back, and it reports calls that arrive meanwhile.
 */

const { HOST = '127.0.0.1', PORT = '0', SHUTDOWN_DELAY_MS = '0', MAX_CONNECTION_AGE_MS = '0' } = process.env;
const health = createHealth([ProcessorService.typeName]);
let held: PromiseWithResolvers<void> | undefined;
let calls = 0;

const server = await startGrpcServer(
  (router) => {
    router.service(Health, health.service);
    router.service(ProcessorService, {
      async process() {
        calls++;
        if (held !== undefined) process.send?.('arrived');
        await held?.promise;
        return { key: `${HOST}:${server.port}` };
      },
      async *processStream(requests) {
        for await (const { id } of requests) {
          calls++;
          if (held !== undefined) process.send?.('arrived');
          await held?.promise;
          yield { id };
        }
      },
    });
  },
  {
    host: HOST,
    port: Number(PORT),
    maxSourceBytes: 8 * 1024 * 1024,
    maxConnectionAgeMs: Number(MAX_CONNECTION_AGE_MS),
  },
);

process.on('message', (message) => {
  if (message === 'hold') held = Promise.withResolvers<void>();
  if (message === 'release') held?.resolve();
  if (message === 'release') held = undefined;
  process.send?.({ message, calls });
});
process.on('disconnect', () => process.exit());

async function drain(): Promise<void> {
  health.setServing(false);
  await sleep(Number(SHUTDOWN_DELAY_MS));
  health.close();
  await server.drain();
}

drainOnSignal(drain, 20_000, createLogger('processor', 'silent'));
process.send?.({ port: server.port });
