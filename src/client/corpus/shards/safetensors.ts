import type { DatatypeName } from '../../../datatypes.ts';
import { safetensorsHeader, widestFirst } from '../../../tensor-headers.ts';
import { isFixed, type Manifest } from '../manifest.ts';
import type { Sample, ShardFormat } from './shard-format.ts';

/** One tensor of the file: the parts of its values, in their order. */
interface Entry {
  readonly name: string;
  readonly datatype: DatatypeName;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly parts: readonly { readonly sample: Sample; readonly at: number }[];
}

/**
 * safetensors. Tensors of fixed shapes are stacked: `pixel_values` is `[samples, ...shape]`. Where the image decides a shape,
 * every sample has tensors of its own, `key/pixel_values`. The metadata has the keys in their order, as JSON in `ids`.
 *
 * https://huggingface.co/docs/safetensors
 */
export const safetensors: ShardFormat = {
  ending: '.safetensors',
  contentType: 'application/vnd.safetensors',
  carriesColumns: false,
  async *write(samples, manifest) {
    const entries = widestFirst(entriesOf(samples, manifest));
    const ids = JSON.stringify(samples.map(({ row }) => row.id));
    yield safetensorsHeader(entries, { job: manifest.job, ids });
    for (const { parts } of entries) {
      for (const { sample, at } of parts) yield await sample.read(sample.tensors[at]);
    }
  },
};

function entriesOf(samples: readonly Sample[], { output }: Manifest): Entry[] {
  const tensors = output.kind === 'tensors' ? output.tensors : [];
  if (tensors.every(isFixed)) {
    return tensors.map(({ name, datatype, shape }, at) => ({
      name,
      datatype,
      shape: [samples.length, ...shape],
      bytes: samples.reduce((sum, sample) => sum + (sample.tensors[at]?.bytes ?? 0), 0),
      parts: samples.map((sample) => ({ sample, at })),
    }));
  }
  return samples.flatMap((sample) =>
    sample.tensors.map(({ name, datatype, shape, bytes }, at) => ({
      name: `${sample.row.id}/${name}`,
      datatype,
      shape,
      bytes,
      parts: [{ sample, at }],
    })),
  );
}
