import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { type PythonPeer, startPython } from '../parity/python-peer.ts';
import type { MadeTensor } from './comparison.ts';
import { canvasPipelines } from './pipelines/canvas.ts';
import { sharpPipelines } from './pipelines/sharp.ts';
import { transformersJsPipelines } from './pipelines/transformers-js.ts';
import type { Expected } from './verdict.ts';

/** A photograph, or a file made from one. */
export interface HeldOutImage {
  readonly name: string;
  /** Words for what it is, as "photo jpeg large". */
  readonly kind: string;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** A preprocessing pipeline as other people write it. */
export interface Pipeline {
  readonly name: string;
  /** The preset that it is meant to compute. */
  readonly preset: string;
  /** The images that it runs on have all of these words. */
  readonly kind: string;
  readonly expected: Expected;
  /** A package that is not installed. */
  readonly missing: string | undefined;
  run(image: HeldOutImage): Promise<MadeTensor>;
}

/** Pipelines in a language, and the images for them. */
export interface Pipelines {
  readonly pipelines: readonly Pipeline[];
  readonly images: readonly HeldOutImage[];
  /** Of each library, the versions of all interpreters. */
  readonly versions: Readonly<Record<string, readonly string[]>>;
  end(): void;
}

/**
 * All pipelines, each in the first interpreter that has its packages.
 *
 * @param modules - a folder in which @huggingface/transformers is installed
 * @param kept - whether tensors of an earlier run are used
 */
export async function startPipelines(
  pythons: readonly string[],
  modules: string | undefined,
  kept: boolean,
): Promise<Pipelines> {
  const peers = pythons.map((python) => startPython(python, new URL('pipelines/peer.py', import.meta.url)));
  const byName = new Map<string, Pipeline>();
  const images = new Map<string, HeldOutImage>();
  const versions: Record<string, string[]> = { sharp: [sharp.versions.sharp ?? ''] };
  for (const peer of peers) {
    const { pipelines, versions: installed } = await pythonPipelines(peer);
    for (const [library, version] of Object.entries(installed)) {
      versions[library] = [...new Set([...(versions[library] ?? []), version])];
    }
    for (const pipeline of pipelines) {
      const known = byName.get(pipeline.name);
      if (known === undefined || known.missing !== undefined) byName.set(pipeline.name, pipeline);
    }
    for (const image of await imagesOf(peer)) if (!images.has(image.name)) images.set(image.name, image);
  }
  const canvas = canvasPipelines();
  const ours = [...sharpPipelines, ...(await transformersJsPipelines(modules)), ...canvas.pipelines];
  return {
    pipelines: [...byName.values(), ...ours].map((pipeline) => remembering(pipeline, kept)),
    images: [...images.values()],
    versions,
    end: () => {
      canvas.end();
      for (const peer of peers) peer.end();
    },
  };
}

type Listed = Omit<Pipeline, 'run' | 'missing'> & { readonly missing: string | null };

interface PythonPipelines {
  readonly pipelines: readonly Pipeline[];
  readonly versions: Readonly<Record<string, string>>;
}

async function pythonPipelines(peer: PythonPeer): Promise<PythonPipelines> {
  type Reply = { pipelines: readonly Listed[]; versions: Record<string, string> };
  const { reply } = await peer.request<Reply>({});
  const pipelines = reply.pipelines.map(({ missing, ...pipeline }) => ({
    ...pipeline,
    missing: missing ?? undefined,
    async run({ name, content }: HeldOutImage) {
      const { reply, bytes } = await peer.request<MadeTensor & { error?: string }>(
        { run: pipeline.name, file: name },
        content,
      );
      if (reply.error !== undefined) throw new Error(reply.error);
      return { datatype: reply.datatype, shape: reply.shape, bytes };
    },
  }));
  return { pipelines, versions: reply.versions };
}

async function imagesOf(peer: PythonPeer): Promise<readonly HeldOutImage[]> {
  type Files = readonly { name: string; kind: string; bytes: number }[];
  const { reply, bytes } = await peer.request<{ images: Files; error?: string }>({ images: true });
  let at = 0;
  return (reply.images ?? []).map(({ name, kind, bytes: length }) => {
    at += length;
    return { name, kind, content: Uint8Array.from(bytes.subarray(at - length, at)) };
  });
}

const folder = fileURLToPath(new URL('../../.parity/skew/', import.meta.url));

/** Keeps the tensors of a pipeline in files. */
function remembering(pipeline: Pipeline, kept: boolean): Pipeline {
  return {
    ...pipeline,
    async run(image) {
      const key = createHash('sha256').update(pipeline.name).update('\0').update(image.content).digest('hex');
      const path = `${folder}${key}`;
      if (kept && existsSync(`${path}.json`)) {
        const described = JSON.parse(readFileSync(`${path}.json`, 'utf8')) as Omit<MadeTensor, 'bytes'>;
        return { ...described, bytes: readFileSync(`${path}.bin`) };
      }
      const { bytes, ...described } = await pipeline.run(image);
      mkdirSync(folder, { recursive: true });
      writeFileSync(`${path}.bin`, bytes);
      writeFileSync(`${path}.json`, JSON.stringify(described));
      return { ...described, bytes };
    },
  };
}
