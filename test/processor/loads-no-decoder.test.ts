import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { createClient } from '@connectrpc/connect';
import { createGrpcTransport } from '@connectrpc/connect-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ImageFormat, ProcessorService } from '../../gen/image/v1/processor_pb.ts';
import { sourceFormats } from '../../src/processor/codecs/codecs.ts';
import { bmpFile } from '../support/bmp.ts';
import { optionalFixture } from '../support/optional-goldens.ts';
import { pagesPdf } from '../support/pdf.ts';

/*
 * Decoders read hostile bytes. A bug in one must affect only a worker process, so the process that serves gRPC
 * never loads a decoder.
 */

const program = fileURLToPath(new URL('../../src/processor/main.ts', import.meta.url));

let server: ChildProcess;
let baseUrl: string;

beforeAll(async () => {
  server = fork(program, {
    silent: true,
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      METRICS_PORT: '0',
      WORKERS: '1',
      SOURCE_FORMATS: sourceFormats.join(','),
    },
  });
  const [{ port }] = (await once(server, 'message')) as [{ port: number }];
  baseUrl = `http://127.0.0.1:${port}`;
});

afterAll(async () => {
  server.kill('SIGKILL');
  await once(server, 'exit');
});

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
  it('loads no decoder, whatever image is sent', async () => {
    const { process: send } = createClient(ProcessorService, createGrpcTransport({ baseUrl }));
    const formats = new Set<ImageFormat>();
    const optional = ['rgb.heic', 'rgb.jxl'].map(optionalFixture);
    const files = [bmp, pdf, ...optional, ...(await Promise.all(fixtures.map(fixture)))];
    for (const value of files) {
      const { source } = await send({ source: { case: 'content', value } });
      formats.add(source?.format ?? ImageFormat.UNSPECIFIED);
    }
    expect(formats.size).toBe(sourceFormats.length);
    const mapped = mappedFiles(server.pid as number);
    expect(mapped.filter((file) => decoders.test(file))).toEqual([]);
  });
});
