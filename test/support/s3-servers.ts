import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findFreePort } from './redis.ts';
import type { S3Credentials } from './s3.ts';
import { s3Program, s3ServerName } from './tools.ts';

/** A program to start, and when it serves. */
export interface S3Command {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

type Command = Omit<S3Command, 'program'>;

/** How each S3 server is started on a port of the loopback, over a folder. */
const commands: Readonly<
  Record<string, (folder: string, port: number, credentials: S3Credentials) => Command | Promise<Command>>
> = {
  versitygw(folder, port, { accessKeyId, secretAccessKey }) {
    // The metadata's folder must not be below that of the objects, nor share the beginning of its name.
    const [objects, sidecar, versions] = ['objects', 'sidecar', 'versions'].map((name) =>
      folderIn(folder, name),
    ) as [string, string, string];
    return {
      parameters: [
        ...['--port', `127.0.0.1:${port}`, '--quiet', '--keep-alive'],
        ...['posix', '--sidecar', sidecar, '--versioning-dir', versions, objects],
      ],
      environment: { ROOT_ACCESS_KEY_ID: accessKeyId, ROOT_SECRET_ACCESS_KEY: secretAccessKey },
    };
  },

  async minio(folder, port, { accessKeyId, secretAccessKey }) {
    const console = `127.0.0.1:${await findFreePort()}`;
    return {
      parameters: [
        ...['server', '--quiet', '--address', `127.0.0.1:${port}`, '--console-address', console],
        folderIn(folder, 'objects'),
      ],
      environment: {
        MINIO_ROOT_USER: accessKeyId,
        MINIO_ROOT_PASSWORD: secretAccessKey,
        // Without it MinIO refuses a folder on the disk of the system.
        MINIO_CI_CD: '1',
      },
    };
  },

  async seaweedfs(folder, port, { accessKeyId, secretAccessKey }) {
    const identity = {
      name: 'tests',
      credentials: [{ accessKey: accessKeyId, secretKey: secretAccessKey }],
      actions: ['Admin', 'Read', 'Write', 'List', 'Tagging'],
    };
    const config = join(folder, 's3.json');
    writeFileSync(config, JSON.stringify({ identities: [identity] }));
    // Each of its servers has a port for HTTP and one for gRPC.
    const names = ['master.port', 'master.port.grpc', 'volume.port', 'volume.port.grpc'];
    names.push('filer.port', 'filer.port.grpc', 's3.port.grpc', 's3.port.iceberg');
    const ports: string[] = [];
    for (const name of names) ports.push(`-${name}=${await findFreePort()}`);
    return {
      parameters: [
        ...['-logtostderr', 'server', '-ip=127.0.0.1', '-ip.bind=127.0.0.1'],
        ...[`-dir=${folderIn(folder, 'objects')}`, '-s3', `-s3.port=${port}`, `-s3.config=${config}`],
        // Volumes of 64 MB, of which each bucket takes some.
        ...['-volume.max=200', '-master.volumeSizeLimitMB=64', ...ports],
      ],
      environment: {},
    };
  },

  rclone: (folder, port, { accessKeyId, secretAccessKey }) => ({
    parameters: [
      ...['serve', 's3', '--addr', `127.0.0.1:${port}`, '--auth-key', `${accessKeyId},${secretAccessKey}`],
      folderIn(folder, 'objects'),
    ],
    environment: {},
  }),
};

/** The command of the server that S3_SERVER names. */
export async function s3Command(
  folder: string,
  port: number,
  credentials: S3Credentials,
): Promise<S3Command> {
  const command = commands[s3ServerName];
  if (command === undefined) {
    throw new Error(`S3_SERVER is "${s3ServerName}"; allowed: ${Object.keys(commands).join(', ')}`);
  }
  if (s3Program === undefined) throw new Error(`there is no ${s3ServerName} on the PATH`);
  return { program: s3Program, ...(await command(folder, port, credentials)) };
}

function folderIn(folder: string, name: string): string {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
}
