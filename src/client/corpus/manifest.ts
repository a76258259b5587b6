import { createHash } from 'node:crypto';
import * as z from 'zod';
import { type DatatypeName, datatypes } from '../../datatypes.ts';
import { ClientError } from '../client-error.ts';

/** The version of the manifest and of everything beside it. Workers refuse every other version. */
const manifestVersion = 1;

/** The files that a shard can be. */
export const shardFormatNames = ['webdataset', 'parquet', 'safetensors', 'npy'] as const;

export type ShardFormatName = (typeof shardFormatNames)[number];

/** The types of carried columns, with Parquet's names. */
const columnTypes = ['string', 'int64', 'double', 'boolean', 'json'] as const;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const tensor = z.strictObject({
  name: z.string(),
  /** By its name in the Open Inference Protocol. */
  datatype: z.enum(Object.keys(datatypes) as [DatatypeName, ...DatatypeName[]]),
  /**
   * The length of each axis of one image's tensor, without an axis that counts images; null where the image decides.
   */
  shape: z.array(z.number().int().nonnegative().nullable()),
});

const shard = z.strictObject({
  /** The number of its first row in the list, from 0. */
  first: z.number().int().nonnegative(),
  count: z.number().int().positive(),
  /** Of the object that contains its rows. */
  rowsSha256: sha256,
});

const manifestSchema = z.strictObject({
  version: z.literal(manifestVersion),
  /** SHA-256 in hex of everything else in the manifest: of the rows, the options and the numerics version. */
  job: sha256,
  format: z.enum(shardFormatNames),
  /** The content of each sample: an encoded image, or these tensors. */
  output: z.union([
    z.strictObject({ kind: z.literal('image') }),
    z.strictObject({ kind: z.literal('tensors'), tensors: z.array(tensor).min(1) }),
  ]),
  /** The options in a few words, for people. */
  words: z.string(),
  /** The request of every row without its source, as the JSON form of `image.v1.ProcessRequest`. */
  request: z.record(z.string(), z.json()),
  /** The version of the pixels, as responses state it. */
  numericsVersion: z.string(),
  /** Columns of the list that every sample carries along. */
  columns: z.array(z.strictObject({ name: z.string(), type: z.enum(columnTypes) })),
  /** Whether rows have pages of documents. */
  pages: z.literal(true).optional(),
  /** Whether a shard stores only the first of several rows with the same source. */
  deduplicate: z.literal(true).optional(),
  /** Rows of all shards. */
  rows: z.number().int().nonnegative(),
  shards: z.array(shard),
});

/** The plan of a corpus: everything that decides the bytes of its shards. */
export type Manifest = z.infer<typeof manifestSchema>;

/** A column that every sample carries along. */
export type Column = Manifest['columns'][number];

/** A tensor of every sample. */
export type PlannedTensor = Extract<Manifest['output'], { kind: 'tensors' }>['tensors'][number];

/** Whether a tensor has the same shape for every image. */
export function isFixed(tensor: PlannedTensor): tensor is PlannedTensor & { readonly shape: number[] } {
  return !tensor.shape.includes(null);
}

/** Completes a manifest by its job's id. */
export function withJob(plan: Omit<Manifest, 'version' | 'job'>): Manifest {
  const content = { version: manifestVersion, ...plan } as const;
  return { ...content, job: jobOf(content) };
}

/** The text of a manifest. Equal plans have equal texts. */
export function manifestText(manifest: Manifest): string {
  return `${JSON.stringify(manifest, undefined, 1)}\n`;
}

/**
 * Reads a manifest.
 *
 * @param where - its name, for messages
 * @throws ClientError MANIFEST_VERSION for a manifest of another version; MANIFEST_INVALID for any other content
 */
export function parseManifest(text: string, where: string): Manifest {
  const value = objectIn(text);
  if (value !== undefined && typeof value.version === 'number' && value.version !== manifestVersion) {
    throw new ClientError(
      'usage',
      'MANIFEST_VERSION',
      `"${where}" has version ${value.version}; this image-client reads version ${manifestVersion}. Use the image-client that planned it, or plan into another --out.`,
    );
  }
  const parsed = manifestSchema.safeParse(value);
  const isWhole = parsed.success && parsed.data.job === jobOf(parsed.data);
  if (isWhole) return parsed.data;
  const why = parsed.success ? 'its job is not the SHA-256 of its content' : z.prettifyError(parsed.error);
  throw new ClientError('usage', 'MANIFEST_INVALID', `"${where}" is not a corpus' manifest: ${why}.`);
}

function objectIn(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** SHA-256 of a manifest without its `job`, whatever the order of its members. */
function jobOf(manifest: Omit<Manifest, 'job'> & { readonly job?: string }): string {
  return createHash('sha256')
    .update(canonical({ ...manifest, job: undefined }))
    .digest('hex');
}

/** JSON with sorted members. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
