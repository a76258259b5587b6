import { once } from 'node:events';
import {
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import type { MessageInitShape } from '@bufbuild/protobuf';
import type { HandlerContext } from '@connectrpc/connect';
import { pino } from 'pino';
import { afterAll, beforeEach } from 'vitest';
import { Health, HealthCheckResponse_ServingStatus } from '../../gen/grpc/health/v1/health_pb.ts';
import {
  CacheState,
  ImageFormat,
  ProcessorService,
  type ProcessRequest,
  type ProcessResponse,
  type ProcessResponseSchema,
} from '../../gen/image/v1/processor_pb.ts';
import { readApiConfig } from '../../src/api/config.ts';
import { startApi } from '../../src/api/server.ts';
import { startRpcServer } from './rpc-server.ts';

type ScriptedResponse = Exclude<MessageInitShape<typeof ProcessResponseSchema>, ProcessResponse>;

/** A 4 × 2 gray JPEG by name; its bytes are no picture, because image-api reads no pixels. */
export const plainContent = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]);

export const plainResponse: ScriptedResponse = {
  content: plainContent,
  contentType: 'image/jpeg',
  width: 4,
  height: 2,
  source: { format: ImageFormat.PNG, width: 40, height: 20, sha256: 'ab12', bytes: 1234n },
  cache: CacheState.MISS,
  stages: [
    { name: 'decode', durationMs: 1.5 },
    { name: 'resize', durationMs: 2.25 },
  ],
  provenance: { numericsVersion: '1', libraries: { sharp: '0.35.5' }, decisions: ['orientation=6'] },
  key: 'c0ffee',
};

/** How a scripted processor handles its calls; tests change it. */
export interface Script {
  process(request: ProcessRequest, context: HandlerContext): ScriptedResponse | Promise<ScriptedResponse>;
  health: HealthCheckResponse_ServingStatus;
}

/**
 * A gRPC server on loopback that responds by a script and records its requests. It processes no pixels. It
 * shows the faults that a real processor rarely shows: it is slow, has ended or is lost during a call.
 */
export async function startScriptedProcessor() {
  const requests: ProcessRequest[] = [];
  const initial: Script = {
    process: () => plainResponse,
    health: HealthCheckResponse_ServingStatus.SERVING,
  };
  const script: Script = { ...initial };
  const server = await startRpcServer((router) => {
    router.service(ProcessorService, {
      process(request, context) {
        requests.push(request);
        return script.process(request, context);
      },
    });
    router.service(Health, { check: () => ({ status: script.health }) });
  });
  return {
    url: server.url,
    script,
    requests,
    /** The only request since `reset`. */
    request(): ProcessRequest {
      const [first, ...more] = requests;
      if (first === undefined || more.length > 0) throw new Error(`${requests.length} requests came`);
      return first;
    },
    /** Clears the recorded requests, and restores the default script. */
    reset(): void {
      requests.length = 0;
      Object.assign(script, initial);
    },
    /** Cuts every connection and closes the port. */
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

export type ScriptedProcessor = Awaited<ReturnType<typeof startScriptedProcessor>>;

/** image-api on a free port of loopback, with its log. */
export async function startTestApi(environment: Readonly<Record<string, string>>) {
  const lines: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  const log = pino(
    { level: 'trace' },
    {
      write(line: string) {
        lines.push(JSON.parse(line) as Record<string, unknown>);
        for (const wake of waiting) wake();
      },
    },
  );
  const config = readApiConfig({ HOST: '127.0.0.1', PORT: '0', ...environment });
  const api = await startApi(config, config.processorUrl, log);
  return {
    url: `http://127.0.0.1:${api.port}`,
    port: api.port,
    drain: api.drain,
    lines,
    /** The access line of the request with this id, once it is written. */
    async accessLine(requestId: string): Promise<Record<string, unknown>> {
      for (;;) {
        const line = lines.find((one) => one.request_id === requestId);
        if (line !== undefined) return line;
        await new Promise<void>((resolve) => {
          const wake = () => {
            waiting.delete(wake);
            resolve();
          };
          waiting.add(wake);
        });
      }
    },
    [Symbol.asyncDispose]: () => api.drain(),
  };
}

export type TestApi = Awaited<ReturnType<typeof startTestApi>>;

/** A problem as received. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly reason: string;
  readonly retryable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

export async function problemOf(response: Response): Promise<Problem> {
  if (response.headers.get('content-type') !== 'application/problem+json') {
    throw new Error(`${response.status} ${await response.text()}`);
  }
  return (await response.json()) as Problem;
}

/** A response over a separate connection, for cases in which fetch hides too much. */
export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Whether the server sent 100 Continue. */
  readonly gotContinue: boolean;
}

/**
 * Sends a request with node:http. Chunks without a Content-Length are sent with chunked encoding.
 *
 * @param options.chunks - parts of the body; with `Expect` they wait until the server asks
 */
export async function send(
  url: string,
  options: RequestOptions & { readonly chunks?: Iterable<Uint8Array | string> },
): Promise<RawResponse> {
  const { chunks = [], ...rest } = options;
  const request = httpRequest(url, { agent: false, ...rest });
  let gotContinue = false;
  const write = () => {
    for (const chunk of chunks) request.write(chunk);
    request.end();
  };
  // The server may have closed by the time the rest is written.
  request.on('error', () => {});
  if (rest.headers !== undefined && 'Expect' in rest.headers) {
    request.flushHeaders();
    request.once('continue', () => {
      gotContinue = true;
      write();
    });
  } else {
    write();
  }
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  const body: Buffer[] = [];
  for await (const chunk of response) body.push(chunk as Buffer);
  request.destroy();
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: Buffer.concat(body),
    gotContinue,
  };
}

/**
 * A scripted processor and an image-api that calls it, for all tests of a file: `const { processor, api } = await
 * useTestApi();` at its top level. The script is reset before each test, and both services end after the last.
 *
 * @param environment - of image-api, in addition to PROCESSOR_URL
 */
export async function useTestApi(environment: Readonly<Record<string, string>> = {}) {
  const processor = await startScriptedProcessor();
  const api = await startTestApi({ PROCESSOR_URL: processor.url, ...environment });
  beforeEach(() => processor.reset());
  afterAll(async () => {
    await api[Symbol.asyncDispose]();
    await processor[Symbol.asyncDispose]();
  });
  return { processor, api };
}
