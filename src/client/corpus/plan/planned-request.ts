import { type ProcessRequest, TensorContainer } from '../../../../gen/image/v1/processor_pb.ts';
import type { ImageOptions } from '../../../options/image-options.ts';
import { ClientError } from '../../client-error.ts';
import { jobRequest } from '../../job/sending/process-request.ts';
import type { ShardFormatName } from '../manifest.ts';

/** Containers of tensors that a shard replaces by its own. */
const ownContainers: readonly TensorContainer[] = [
  TensorContainer.RAW,
  TensorContainer.NPY,
  TensorContainer.NPZ,
  TensorContainer.SAFETENSORS,
  TensorContainer.AUTO,
];

/**
 * The request of every row of a corpus, without its source. Tensors travel as safetensors, which has room for several and
 * for every datatype; the shard's format decides how they are stored.
 *
 * @throws ClientError of bad usage for options that no shard of this format can have
 */
export function plannedRequest(
  options: ImageOptions,
  format: ShardFormatName,
): { readonly request: ProcessRequest; readonly words: string } {
  const { request, words } = jobRequest(options);
  const { output } = request;
  if (output.case === 'tensor') {
    if (!ownContainers.includes(output.value.container)) {
      throw new ClientError(
        'usage',
        'OPTION_INVALID',
        '--format is a request body of a model server, which no shard contains; leave it out.',
      );
    }
    const value = { ...output.value, container: TensorContainer.SAFETENSORS };
    return { request: { ...request, output: { case: 'tensor', value } }, words };
  }
  if (format === 'webdataset' || format === 'parquet') return { request, words };
  throw new ClientError(
    'usage',
    'OPTION_INVALID',
    `--shard-format ${format} contains tensors, and these options give images; add --preset, or --format npy for the tensor of an image.`,
  );
}
