import type { ProcessResponse } from '../../../../gen/image/v1/processor_pb.ts';
import { ImageFormat } from '../../../../gen/image/v1/processor_pb.ts';
import { formatName } from '../../../options/contract-words.ts';
import type { JobFailure } from '../../job/images.ts';
import type { Manifest, PlannedTensor } from '../manifest.ts';
import { type CorpusRow, columnsOf, jsonText } from '../row.ts';
import type { Sample, SampleTensor } from '../shards/shard-format.ts';
import { describeSample, pageMember } from '../shards/sidecar.ts';
import type { Spill } from './spill.ts';

/** Why a row has no sample. */
export interface RowFailure {
  readonly row: CorpusRow;
  readonly reason: string;
  readonly retryable: boolean;
  /** Values that do not change from one attempt to another: a limit, an HTTP status. */
  readonly details: Readonly<Record<string, string>>;
}

/** The outcome of a row. */
export type Outcome = { readonly sample: Sample } | { readonly failure: RowFailure };

/** Members of a failure's metadata that are the same in every attempt. */
const stableDetails = ['limit', 'status', 'option', 'allowed', 'host'];

/** The failure of a row. */
export function rowFailure(row: CorpusRow, failure: Omit<JobFailure, 'source'>): RowFailure {
  const details = Object.entries(failure.metadata).filter(([name]) => stableDetails.includes(name));
  return {
    row,
    reason: failure.reason,
    retryable: failure.retryable,
    details: Object.fromEntries(details.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  };
}

/**
 * Makes a response into a sample, whose content is in the spill.
 *
 * @returns the failure of a response whose tensors do not have the planned shapes
 * @throws ClientError if the spill cannot be written
 */
export async function sampleOf(
  row: CorpusRow,
  response: ProcessResponse,
  { output }: Manifest,
  spill: Spill,
): Promise<Outcome> {
  const { content, source } = response;
  const planned = output.kind === 'tensors' ? output.tensors : [];
  const { tensors, values } = tensorsIn(response, planned);
  if (tensors.length !== planned.length || !tensors.every((tensor, at) => fits(tensor, planned[at]))) {
    const actual = tensors.map(({ shape }) => `[${shape.join(', ')}]`).join(', ');
    return { failure: { row, reason: 'OUTPUT_SHAPE_DIFFERS', retryable: false, details: { actual } } };
  }
  const kept = output.kind === 'tensors' ? values : content;
  const start = await spill.append(kept);
  return {
    sample: {
      row,
      bytes: kept.length,
      read: ({ offset, bytes } = { offset: 0, bytes: kept.length }) => spill.read(start + offset, bytes),
      contentType: response.contentType,
      tensors,
      width: response.width,
      height: response.height,
      source: {
        sha256: source?.sha256 ?? '',
        format: formatName(source?.format ?? ImageFormat.UNSPECIFIED),
        width: source?.width ?? 0,
        height: source?.height ?? 0,
        bytes: Number(source?.bytes ?? 0),
      },
      key: response.key,
    },
  };
}

/** The tensors of a safetensors content, in the planned order, and its values. */
function tensorsIn(
  { content, tensors }: ProcessResponse,
  planned: readonly PlannedTensor[],
): { tensors: SampleTensor[]; values: Uint8Array } {
  if (tensors.length === 0) return { tensors: [], values: content };
  const start = 8 + Number(Buffer.from(content.buffer, content.byteOffset, 8).readBigUInt64LE());
  const header: Readonly<
    Record<string, { readonly shape: number[]; readonly data_offsets: [number, number] }>
  > = JSON.parse(Buffer.from(content.subarray(8, start)).toString());
  const found = planned.flatMap(({ name, shape: expected }) => {
    const entry = header[name];
    const datatype = tensors.find((tensor) => tensor.name === name)?.datatype;
    if (entry === undefined || datatype === undefined) return [];
    const { shape, data_offsets: offsets } = entry;
    const isCounted = shape.length === expected.length + 1 && shape[0] === 1;
    return [
      {
        name,
        datatype: datatype as SampleTensor['datatype'],
        shape: isCounted ? shape.slice(1) : shape,
        offset: offsets[0],
        bytes: offsets[1] - offsets[0],
      },
    ];
  });
  return { tensors: found, values: content.subarray(start) };
}

function fits({ datatype, shape }: SampleTensor, planned: PlannedTensor | undefined): boolean {
  return (
    planned !== undefined &&
    datatype === planned.datatype &&
    shape.length === planned.shape.length &&
    shape.every((length, at) => planned.shape[at] === null || planned.shape[at] === length)
  );
}

/**
 * The line of a row in the index, without a line feed.
 *
 * @param at - the sample's number in the shard
 */
export function indexLine(
  outcome: Outcome,
  at: number,
  { columns }: Manifest,
  carriesColumns: boolean,
): string {
  if ('sample' in outcome) {
    const { sample } = outcome;
    const { row, id } = sample.row;
    const carried = carriesColumns ? {} : columnsOf(sample.row, columns);
    return jsonText({ id, row, outcome: 'stored', sample: at, ...describeSample(sample), ...carried });
  }
  const { row, reason, retryable, details } = outcome.failure;
  return jsonText({
    id: row.id,
    row: row.row,
    outcome: 'failed',
    reason,
    retryable,
    details,
    url: row.url,
    ...pageMember(row),
  });
}
