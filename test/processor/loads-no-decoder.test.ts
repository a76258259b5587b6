import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ImageFormat, ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { sourceFormats } from '../../src/processor/codecs/codecs.ts';
import { bmpFile } from '../support/bmp.ts';
import { optionalFixture } from '../support/optional-goldens.ts';
import { pagesPdf } from '../support/pdf.ts';

/*
 * Decoders read hostile bytes. A bug in one must affect only a worker process, so the process that serves gRPC
 * never loads a decoder.
 */

/** The programs that serve gRPC: image-processor by itself, and both services in one process. */
const programs = ['processor/main.ts', 'start/main.ts'] as const;

/** Starts a program. @returns its process, and the address of image-processor in it */
async function start(program: (typeof programs)[number]) {
  const server = spawn(process.execPath, [fileURLToPath(new URL(`../../src/${program}`, import.meta.url))], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      PROCESSOR_PORT: '0',
      METRICS_PORT: '0',
      NODE_ENV: 'production',
      LOG_LEVEL: 'info',
      WORKERS: '1',
      SOURCE_FORMATS: sourceFormats.join(','),
    },
  });
  const exited = once(server, 'exit');
  onTestFinished(async () => {
    server.kill('SIGKILL');
    await exited;
  });
  for await (const line of createInterface(server.stdout)) {
    if (!line.includes('image-processor listens')) continue;
    // Lines that follow are not read, and must not block the process.
    server.stdout.resume();
    const { port } = JSON.parse(line) as { port: number };
    return { pid: server.pid as number, baseUrl: `http://127.0.0.1:${port}` };
  }
  throw new Error(`${program} ended early`);
}

const fixture = (name: string) => readFile(new URL(`../fixtures/decode/${name}`, import.meta.url));

/** Files of all formats, including some whose headers only a decoder reads. */
const fixtures = [
  '420.jpg',
  'cmyk-adobe.jpg',
  'gray.png',
  'icc.png',
  'lossy.webp',
  '420.avif',
  'interlaced.gif',
  'lzw.tiff',
];

const pdf = pagesPdf([{}]);
const bmp = bmpFile({ width: 1, height: 1, bits: 24, pixels: [1, 2, 3, 0] });

/** Decoders, and the bindings through which they are called. */
const decoders = /sharp|vips|turbojpeg|koffi/i;

/** Files that a process has mapped: proc(5), /proc/pid/maps. */
function mappedFiles(pid: number): string[] {
  const lines = readFileSync(`/proc/${pid}/maps`, 'latin1').split('\n');
  return [...new Set(lines.flatMap((line) => /\/.*/.exec(line)?.[0] ?? []))];
}

describe.skipIf(process.platform !== 'linux')('the process that serves gRPC', () => {
  it.each(programs)('loads no decoder, whatever image is sent: %s', async (program) => {
    const { pid, baseUrl } = await start(program);
    const { process: send } = createClient(ProcessorService, createGrpcTransport({ baseUrl }));
    const formats = new Set<ImageFormat>();
    const optional = ['rgb.heic', 'rgb.jxl'].map(optionalFixture);
    const files = [bmp, pdf, ...optional, ...(await Promise.all(fixtures.map(fixture)))];
    for (const value of files) {
      const { source } = await send({ source: { case: 'content', value } });
      formats.add(source?.format ?? ImageFormat.UNSPECIFIED);
    }
    expect(formats.size).toBe(sourceFormats.length);
    const mapped = mappedFiles(pid);
    expect(mapped.filter((file) => decoders.test(file))).toEqual([]);
  });
});
