import process from 'node:process';
import { create } from '@bufbuild/protobuf';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport, Http2SessionManager } from '@connectrpc/connect-node';
import { Agent, request as httpRequest } from 'undici';
import { ProcessorService, ProcessRequestSchema } from '../gen/image/v1/processor_pb.ts';
import { createProcessorClient } from '../src/api/upstream/processor-client.ts';
import { startDeadline } from '../src/deadline.ts';
import { maxSessionMemory } from '../src/grpc/transport.ts';
import { inParallel } from './measure.ts';

/*
 * The other end of transport.ts, in a process of its own, with the same flags as the first: sends as many messages
 * as instructed, and checks every response.
 */

export interface Messages {
  /** Of one message. */
  readonly bytes: number;
  readonly count: number;
  readonly inFlight: number;
}

type Send = (content: Uint8Array) => Promise<{ answered: number; received: number }>;

const [variant = '', port = '', answerBytes = '0'] = process.argv.slice(2);
const baseUrl = `http://127.0.0.1:${port}`;
const clients: Readonly<Record<string, () => Send>> = {
  http: httpClient,
  defaults: defaultClient,
  ours: ourClient,
};
const send = clients[variant]?.() as Send;

process.on('disconnect', () => process.exit());
process.on('message', async ({ bytes, count, inFlight }: Messages) => {
  const content = new Uint8Array(bytes).map((_, at) => (at * 2_654_435_761) >>> 24);
  process.send?.(await inParallel(count, inFlight, () => checked(content)));
});
process.send?.('ready');

/** A wrong response must not count as a fast one. */
async function checked(content: Uint8Array): Promise<void> {
  const { answered, received } = await send(content);
  if (answered !== Number(answerBytes) || received !== content.length) {
    throw new Error(`sent ${content.length}, received ${received}; answered ${answered}, not ${answerBytes}`);
  }
}

function ourClient(): Send {
  const client = createProcessorClient(baseUrl, 64 * 1024 * 1024);
  return async (content) => {
    using deadline = startDeadline(new AbortController().signal, 60_000);
    const message = create(ProcessRequestSchema, { source: { case: 'content', value: content } });
    const response = await client.process(message, deadline);
    return { answered: response.content.length, received: response.width };
  };
}

function defaultClient(): Send {
  const sessionManager = new Http2SessionManager(baseUrl, {}, { maxSessionMemory });
  const client = createClient(ProcessorService, createGrpcTransport({ baseUrl, sessionManager }));
  return async (content) => {
    const response = await client.process({ source: { case: 'content', value: content } });
    return { answered: response.content.length, received: response.width };
  };
}

function httpClient(): Send {
  const dispatcher = new Agent({ connections: 8 });
  return async (content) => {
    const response = await httpRequest(baseUrl, { method: 'POST', body: content, dispatcher });
    const answered = (await response.body.arrayBuffer()).byteLength;
    return { answered, received: Number(response.headers['x-length']) };
  };
}
