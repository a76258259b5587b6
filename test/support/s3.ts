import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutBucketVersioningCommand, S3Client } from '@aws-sdk/client-s3';
import { findFreePort } from './redis.ts';
import { s3Command } from './s3-servers.ts';

/** Credentials of a test's own server. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** An S3 server for a test: that of S3_SERVER, else versitygw. `await using` ends it with the test. */
export interface S3Server extends AsyncDisposable {
  /** `http://127.0.0.1:port` */
  readonly endpoint: string;
  readonly credentials: S3Credentials;
  /** The variables by which a service uses this server. */
  readonly environment: Readonly<Record<string, string>>;
  /** A client for what a test prepares and looks at. */
  readonly client: S3Client;
  createBucket(name: string, options?: { readonly isVersioned?: boolean }): Promise<void>;
  /** Kills it (SIGKILL) and starts it again over the same objects. */
  restart(credentials?: S3Credentials): Promise<void>;
  /** Kills it (SIGKILL). */
  stop(): Promise<void>;
}

const defaultCredentials: S3Credentials = { accessKeyId: 'testaccess', secretAccessKey: 'testsecret' };

/** Starts it on a free port of the loopback, over a new folder, and waits until it serves. */
export async function startS3(credentials = defaultCredentials): Promise<S3Server> {
  const folder = mkdtempSync(join(tmpdir(), 's3-'));
  const port = await findFreePort();
  const endpoint = `http://127.0.0.1:${port}`;
  let server = await startServer(folder, port, credentials);
  const clients: S3Client[] = [];
  const open = (current: S3Credentials) => {
    const client = new S3Client({
      endpoint,
      forcePathStyle: true,
      region: 'us-east-1',
      credentials: current,
    });
    clients.push(client);
    return client;
  };
  let client = open(credentials);

  async function stop(): Promise<void> {
    await server.kill();
  }

  return {
    endpoint,
    credentials,
    environment: {
      S3_ENDPOINT: endpoint,
      S3_FORCE_PATH_STYLE: 'true',
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    get client() {
      return client;
    },
    async createBucket(name, { isVersioned = false } = {}) {
      await client.send(new CreateBucketCommand({ Bucket: name }));
      if (!isVersioned) return;
      await client.send(
        new PutBucketVersioningCommand({ Bucket: name, VersioningConfiguration: { Status: 'Enabled' } }),
      );
    },
    async restart(next = credentials) {
      await server.kill();
      server = await startServer(folder, port, next);
      client = open(next);
    },
    stop,
    async [Symbol.asyncDispose]() {
      for (const each of clients) each.destroy();
      await stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startServer(folder: string, port: number, credentials: S3Credentials) {
  const { program, parameters, environment } = await s3Command(folder, port, credentials);
  const child = spawn(program, parameters, {
    env: { PATH: process.env.PATH, HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => lines.push(String(text)));
  const exited = once(child, 'exit');
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  void exited.then(() => process.off('exit', kill));
  while (!(await serves(`http://127.0.0.1:${port}`))) {
    if (child.exitCode !== null) throw new Error(`the S3 server ended at once:\n${lines.join('')}`);
    await sleep(20);
  }
  return {
    async kill() {
      kill();
      await exited;
    },
  };
}

/** Whether it responds, as it does to those without credentials: some accept connections before they can. */
async function serves(endpoint: string): Promise<boolean> {
  try {
    return (await fetch(endpoint)).status < 500;
  } catch {
    return false;
  }
}
