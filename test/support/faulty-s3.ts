import { vi } from 'vitest';
import { type S3Server, startS3 } from './s3.ts';
import { type FaultProxy, startFaultProxy } from './s3-faults.ts';

/** An S3 server with a proxy in front of it, whose variables are in this process' environment until it is disposed of. */
export interface FaultyS3 extends AsyncDisposable {
  readonly server: S3Server;
  readonly proxy: FaultProxy;
}

/** Starts both for the tests of a file. */
export async function startFaultyS3(): Promise<FaultyS3> {
  const server = await startS3();
  const proxy = await startFaultProxy(server.endpoint);
  for (const [name, value] of Object.entries(server.environment)) vi.stubEnv(name, value);
  return {
    server,
    proxy,
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
      vi.unstubAllEnvs();
    },
  };
}
