import { npyHeader } from '../../../tensor-headers.ts';
import { isFixed } from '../manifest.ts';
import type { ShardFormat } from './shard-format.ts';

/**
 * One .npy of all samples, `[samples, ...shape]`, for `numpy.load(path, mmap_mode="r")`. The plan has one tensor of a fixed
 * shape; the shard's index names the samples in their order.
 */
export const npy: ShardFormat = {
  ending: '.npy',
  contentType: 'application/x-npy',
  carriesColumns: false,
  async *write(samples, { output }) {
    const [tensor] = output.kind === 'tensors' ? output.tensors : [];
    if (tensor === undefined || !isFixed(tensor))
      throw new RangeError('a .npy has one tensor of a fixed shape');
    yield npyHeader(tensor.datatype, [samples.length, ...tensor.shape]);
    for (const sample of samples) yield await sample.read(sample.tensors[0]);
  },
};
