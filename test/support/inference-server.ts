import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An input as it arrived. */
export interface SeenInput {
  readonly model: string;
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly bytes: Buffer;
}

const datatypeBytes: Readonly<Record<string, number>> = {
  UINT8: 1,
  FP16: 2,
  BF16: 2,
  FP32: 4,
  INT64: 8,
};

/**
 * A model server without a model: it takes `POST /v2/models/…/infer` of the Open Inference Protocol with Triton's
 * binary data extension, refuses with 400 inputs whose lengths, shape and datatype contradict each other, and responds with the lengths
 * of the inputs' bytes.
 */
export async function startInferenceServer() {
  const inputs: SeenInput[] = [];
  const server = createServer(async (request, response) => {
    const respond = (status: number, body: unknown) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    try {
      const seen = readInputs(request, await bodyOf(request));
      inputs.push(...seen);
      const data = seen.map(({ bytes }) => bytes.length);
      respond(200, {
        model_name: seen[0]?.model,
        model_version: '1',
        outputs: [{ name: 'length', datatype: 'INT32', shape: [1, data.length], data }],
      });
    } catch (error) {
      respond(400, { error: String(error) });
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The inputs since the last call. */
    takeInputs: () => inputs.splice(0),
    async [Symbol.asyncDispose](): Promise<void> {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  return Buffer.concat(await request.toArray());
}

function readInputs(request: IncomingMessage, body: Buffer): SeenInput[] {
  const [, model] = /^\/v2\/models\/([^/]+)\/infer$/.exec(request.url ?? '') ?? [];
  if (request.method !== 'POST' || model === undefined) throw new Error(`${request.method} ${request.url}`);
  const headLength = Number(request.headers['inference-header-content-length'] ?? body.length);
  const head: {
    inputs: {
      name: string;
      datatype: string;
      shape: number[];
      parameters?: { binary_data_size?: number };
    }[];
  } = JSON.parse(body.subarray(0, headLength).toString());
  let end = headLength;
  const inputs = head.inputs.map(({ name, datatype, shape, parameters }) => {
    const start = end;
    end += parameters?.binary_data_size ?? Number.NaN;
    const bytes = body.subarray(start, end);
    const expected = shape.reduce((product, side) => product * side, datatypeBytes[datatype] ?? Number.NaN);
    if (parameters?.binary_data_size !== bytes.length || bytes.length !== expected) {
      throw new Error(
        `${bytes.length} bytes for ${datatype} ${shape}, declared ${parameters?.binary_data_size}`,
      );
    }
    return { model, name, datatype, shape, bytes };
  });
  if (end !== body.length || inputs.length === 0) throw new Error(`${end} of ${body.length} bytes declared`);
  return inputs;
}
