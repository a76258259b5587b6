import type { ProcessRequest, ProcessResponse } from '../../../../gen/image/v1/processor_pb.ts';
import type { DatatypeName } from '../../../datatypes.ts';
import { Failure } from '../../../failures.ts';
import { isOfNumpy } from '../../../tensor-headers.ts';
import { ClientError } from '../../client-error.ts';
import { tryOptions } from '../../job/check-options.ts';
import type { ServiceConnection } from '../../job/sending/connection.ts';
import { blackPicture } from '../../probe-images.ts';
import { isFixed, type Manifest, type PlannedTensor, type ShardFormatName } from '../manifest.ts';

/** Sizes of images whose tensors differ in shape if the image decides it. */
const probeSizes = [
  [256, 256],
  [640, 480],
  [480, 640],
  [1600, 1200],
  [2000, 500],
] as const;

/** The response of a service to the options of a corpus. */
export type PlannedOutput = Pick<Manifest, 'output' | 'numericsVersion'>;

/**
 * Asks the service what the options give, by black pictures of several sizes.
 *
 * @throws ClientError for options that the service refuses or the format of the shards has no room for; as tryOptions
 */
export async function plannedOutput(
  connection: ServiceConnection,
  request: ProcessRequest,
  format: ShardFormatName,
  patienceMs: number,
  onAway: (line: string) => void,
  signal: AbortSignal,
): Promise<PlannedOutput> {
  const responses: ProcessResponse[] = [];
  let failure: Failure | undefined;
  for (const [width, height] of probeSizes) {
    const picture = blackPicture(width, height);
    const tried = await tryOptions(connection, request, picture, patienceMs, onAway, signal);
    if (tried instanceof Failure) failure ??= tried;
    else responses.push(tried);
  }
  const [first, ...others] = responses;
  if (first === undefined) {
    const message = `No picture can be processed with these options: ${failure?.message}`;
    throw new ClientError('refused', failure?.reason ?? 'UNEXPECTED', message);
  }
  const numericsVersion = first.provenance?.numericsVersion ?? '';
  if (first.tensors.length === 0) return { output: { kind: 'image' }, numericsVersion };
  const tensors = first.tensors.map(({ name, datatype }, at) => ({
    name,
    datatype: datatype as DatatypeName,
    shape: sharedShape([first, ...others].map((response) => shapeOf(response, at))),
  }));
  for (const tensor of tensors) checkRoom(tensor, tensors.length, format);
  return { output: { kind: 'tensors', tensors }, numericsVersion };
}

function shapeOf({ tensors }: ProcessResponse, at: number): number[] {
  return tensors[at]?.shape.map(Number) ?? [];
}

/** The shape of one image's tensor: without the first axis if it counts images, with null for axes that differ. */
function sharedShape(shapes: readonly (readonly number[])[]): (number | null)[] {
  const isCounted = shapes.every((shape) => shape.length > 1 && shape[0] === 1);
  const own = isCounted ? shapes.map((shape) => shape.slice(1)) : shapes;
  const [first = [], ...others] = own;
  return first.map((length, at) => (others.every((shape) => shape[at] === length) ? length : null));
}

/** @throws ClientError for a tensor that shards of this format cannot contain */
function checkRoom(tensor: PlannedTensor, count: number, format: ShardFormatName): void {
  const { name, datatype, shape } = tensor;
  if ((format === 'npy' || format === 'webdataset') && !isOfNumpy(datatype)) {
    throw unfit(format, `NumPy has no ${datatype}, which "${name}" has`, '--datatype names another');
  }
  if (format !== 'npy') return;
  if (count > 1) throw unfit(format, `one .npy has one tensor, and these options give ${count}`);
  if (isFixed(tensor)) return;
  const words = shape.map((length) => length ?? 'any').join(', ');
  throw unfit(format, `the image decides the shape [${words}] of "${name}"`);
}

function unfit(
  format: ShardFormatName,
  why: string,
  advice = '--shard-format webdataset, parquet and safetensors have room for it',
): ClientError {
  const message = `--shard-format ${format} does not go with these options: ${why}; ${advice}.`;
  return new ClientError('usage', 'OPTION_INVALID', message);
}
