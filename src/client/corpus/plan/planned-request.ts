import { create } from '@bufbuild/protobuf';
import {
  type ProcessRequest,
  SourceOptionsSchema,
  TensorContainer,
} from '../../../../gen/image/v1/processor_pb.ts';
import type { ImageOptions } from '../../../options/image-options.ts';
import { type Pages, pagesText } from '../../../options/pages.ts';
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
 * @param pageColumn - the list's column of pages, if it has one
 * @throws ClientError of bad usage for options that no shard of this format can have
 */
export function plannedRequest(
  options: ImageOptions,
  format: ShardFormatName,
  pageColumn: string | undefined,
): { readonly request: ProcessRequest; readonly words: string } {
  const { request: ofPictures, pages, words } = jobRequest(options);
  const request = withPage(ofPictures, pages, pageColumn);
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

/** A request for the page of --page. @throws ClientError of bad usage for several pages, and beside a column of pages */
function withPage(
  request: ProcessRequest,
  pages: Pages | undefined,
  column: string | undefined,
): ProcessRequest {
  if (pages === undefined) return request;
  if (column !== undefined) {
    const message = '--page and --page-column exclude each other: a row has one page.';
    throw new ClientError('usage', 'OPTION_INVALID', message);
  }
  if (typeof pages !== 'number') {
    const message = `--page is ${pagesText(pages)}, and a row of a corpus is one page. List each page as a row, and name their column: --page-column.`;
    throw new ClientError('usage', 'OPTION_INVALID', message);
  }
  const others = request.sourceOptions ?? create(SourceOptionsSchema);
  return { ...request, sourceOptions: { ...others, page: pages } };
}
