import type { Manifest } from '../manifest.ts';
import { type CorpusRow, columnsOf, jsonText } from '../row.ts';
import type { Sample } from './shard-format.ts';

/** The members of a sample beside its columns, with the same names in every format. */
export function describeSample({ row, width, height, source, key }: Sample) {
  return {
    url: row.url,
    ...pageMember(row),
    width,
    height,
    source_sha256: source.sha256,
    source_format: source.format,
    source_width: source.width,
    source_height: source.height,
    source_bytes: source.bytes,
    response_key: key,
  };
}

/** The page of a row that has one. */
export function pageMember({ page }: CorpusRow): { readonly page?: number } {
  return page === undefined ? {} : { page };
}

/** The JSON beside a sample: its columns, where it came from and how it was made. */
export function sidecarOf(sample: Sample, { columns }: Manifest): string {
  const { row, id } = sample.row;
  return jsonText({ id, row, ...describeSample(sample), ...columnsOf(sample.row, columns) });
}
