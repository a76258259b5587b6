import type { ShardFormatName } from '../manifest.ts';
import type { ShardFormat } from './shard-format.ts';

/** The formats of shards. Only the one that a corpus has is loaded. */
const formats: Readonly<Record<ShardFormatName, () => Promise<ShardFormat>>> = {
  webdataset: async () => (await import('./webdataset.ts')).webdataset,
  parquet: async () => (await import('./parquet.ts')).parquet,
  safetensors: async () => (await import('./safetensors.ts')).safetensors,
  npy: async () => (await import('./npy.ts')).npy,
};

/** The format of a name. */
export async function shardFormat(name: ShardFormatName): Promise<ShardFormat> {
  return await formats[name]();
}
