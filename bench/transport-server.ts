import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import process from 'node:process';
import { create } from '@bufbuild/protobuf';
import type { ConnectRouter } from '@connectrpc/connect';
import { connectNodeAdapter } from '@connectrpc/connect-node';
import { ProcessorService, ProcessResponseSchema } from '../gen/image/v1/processor_pb.ts';
import { maxSessionMemory } from '../src/grpc/transport.ts';
import { startGrpcServer } from '../src/processor/serving/server.ts';

/*
 * The one end of transport.ts, in a process of its own: receives messages and responds with a number of bytes, and does
 * nothing else. Tells its port.
 */

const [variant = '', answerBytes = '0'] = process.argv.slice(2);
const content = new Uint8Array(Number(answerBytes)).map((_, at) => (at * 2_654_435_761) >>> 24);

const routes = (router: ConnectRouter): void => {
  router.service(ProcessorService, {
    process: (request) =>
      create(ProcessResponseSchema, { content, width: Number(request.source.value?.length ?? 0) }),
  });
};

process.on('disconnect', () => process.exit());
process.send?.({ port: await listen() });

async function listen(): Promise<number> {
  if (variant === 'ours') {
    const maxSourceBytes = 64 * 1024 * 1024;
    return (await startGrpcServer(routes, { host: '127.0.0.1', port: 0, maxSourceBytes })).port;
  }
  const server =
    variant === 'http'
      ? createHttpServer((request, response) => {
          const chunks: Buffer[] = [];
          request.on('data', (chunk: Buffer) => chunks.push(chunk));
          request.on('end', () => {
            const length = Buffer.concat(chunks).length;
            response.writeHead(200, { 'content-length': content.length, 'x-length': length }).end(content);
          });
        })
      : createHttp2Server({ maxSessionMemory }, connectNodeAdapter({ routes }));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
