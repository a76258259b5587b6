import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { create } from '@bufbuild/protobuf';
import {
  Datatype,
  ImageFormat,
  Layout,
  ProcessRequestSchema,
  TensorContainer,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../src/failures.ts';
import { numericsVersions } from '../../src/processor/image/provenance.ts';
import { type ImageProcessing, processImage } from '../../src/processor/process-image.ts';
import { startWorkerPool } from '../../src/processor/workers/pool.ts';
import { createProcessing } from '../support/processor.ts';
import { type Comparison, compareFile, type Ours, outcomes, type Theirs } from './compare-files.ts';
import { type PythonPeer, startPython } from './python-peer.ts';

/** Limits in bytes and pixels. They are high, because the cost of larger files does not matter for parity. */
const maxSourceBytes = 256 * 1024 * 1024;
const maxPixels = 100_000_000;

export interface ComparedFile extends Comparison {
  /** Relative to the folder. */
  readonly name: string;
  /** As the service names it, else as Pillow does. */
  readonly format: string;
}

/**
 * Sends each file of a folder and of those below it through the service's main path and through Pillow.
 *
 * @param python - an interpreter that has Pillow
 * @param onFile - gets each as it is compared, in the order of the names
 * @returns the versions of both sides
 */
export async function compareFiles(
  folder: string,
  python: string,
  onFile: (file: ComparedFile) => void,
): Promise<string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
  const workers = await startWorkerPool(Math.min(2, availableParallelism()));
  const peer = startPython(python, new URL('files.py', import.meta.url));
  try {
    const limits = { maxSourceBytes, maxSourcePixels: maxPixels, maxOutputPixels: maxPixels };
    const processing = createProcessing(workers, limits);
    for (const name of names) {
      const path = join(folder, name);
      const [ours, theirs] = await Promise.all([oursOf(path, processing), theirsOf(path, peer)]);
      const format = 'format' in ours ? ours.format : 'format' in theirs ? theirs.format.toLowerCase() : '';
      onFile({ name, format, ...compareFile(ours, theirs) });
    }
    const { reply } = await peer.request<{ versions: Record<string, string> }>({});
    const versions = Object.entries(reply.versions).map((entry) => entry.join(' '));
    return `numerics ${numericsVersions.pillow}; ${versions.join(', ')}`;
  } finally {
    peer.end();
    await workers.close();
  }
}

const formatNames = new Map<ImageFormat, string>(
  Object.entries(ImageFormat).map(([name, value]) => [value, name.toLowerCase()]),
);

async function oursOf(path: string, processing: ImageProcessing): Promise<Ours> {
  const request = create(ProcessRequestSchema, {
    source: { case: 'content', value: readFileSync(path) },
    output: {
      case: 'tensor',
      value: {
        datatype: Datatype.UINT8,
        layout: Layout.NHWC,
        container: TensorContainer.RAW,
      },
    },
  });
  const signal = AbortSignal.timeout(120_000);
  try {
    const { content, width, height, source, provenance } = await processImage(request, processing, {
      name: 'parity',
      signal,
    });
    const format = formatNames.get(source?.format ?? ImageFormat.UNSPECIFIED) ?? '';
    return { pixels: content, width, height, format, decisions: provenance?.decisions ?? [] };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return { reason: error.reason, message: error.message };
  }
}

async function theirsOf(path: string, peer: PythonPeer): Promise<Theirs> {
  interface Read {
    readonly width: number;
    readonly height: number;
    readonly format: string;
    readonly mode: string;
    readonly layout: string;
  }
  const { reply, bytes } = await peer.request<Read | { readonly error: string; readonly layout: string }>({
    path,
  });
  if ('error' in reply) return reply;
  const length = reply.width * reply.height * 3;
  const rest = bytes.subarray(length);
  return { ...reply, pixels: bytes.subarray(0, length), ...(rest.length > 0 && { right: rest }) };
}

/** The table of outcomes by format, as Markdown. */
export function tableOf(files: readonly ComparedFile[]): string {
  const formats = [...new Set(files.map(({ format }) => format))].sort();
  const rows = [...formats, undefined].map((format) => {
    const some = files.filter((file) => format === undefined || file.format === format);
    const cells = outcomes.map((outcome) => {
      const same = some.filter((file) => file.outcome === outcome);
      const undocumented = same.filter(({ isUndocumented }) => isUndocumented).length;
      return undocumented === 0 ? `${same.length}` : `${same.length} (${undocumented} undocumented)`;
    });
    return [format === undefined ? 'all' : format || 'neither reads', `${some.length}`, ...cells];
  });
  const lines = [
    ['format', 'files', ...outcomes],
    ['---', ...Array(outcomes.length + 1).fill('---:')],
    ...rows,
  ];
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
