import type { Column } from './manifest.ts';

/** The value of a carried column. An int64 beyond ±(2⁵³ − 1) is a bigint; `json` is any JSON. */
export type ColumnValue = string | number | bigint | boolean | null | readonly unknown[] | object;

/** A row of a corpus' list. */
export interface CorpusRow {
  /** Its number in the list, from 0. */
  readonly row: number;
  /** The sample's key: a relative path with `/`, unique in the corpus. */
  readonly id: string;
  /** Where the image is: an http, https or s3 URL; empty for a row that fails. */
  readonly url: string;
  /** The page of the document at the URL, from 1. Unset: that of the request. */
  readonly page?: number | undefined;
  /** Why the row fails without being sent. */
  readonly problem?: { readonly reason: string; readonly message: string } | undefined;
  /** The carried columns in the order of the manifest. */
  readonly values: readonly ColumnValue[];
}

/** A row as a line of JSON, without a line feed. */
export function lineOfRow({ row, id, url, page, problem, values }: CorpusRow): string {
  return jsonText({ row, id, url, page, problem, values });
}

/** The row in a line that `lineOfRow` gave. */
export function rowInLine(line: string, columns: readonly Column[]): CorpusRow {
  const row: CorpusRow = JSON.parse(line, withAllDigits as (key: string, value: unknown) => unknown);
  const values = row.values.map((value, at) =>
    typeof value === 'bigint' && columns[at]?.type === 'double' ? Number(value) : value,
  );
  return { ...row, values };
}

/** The carried columns by their names. */
export function columnsOf({ values }: CorpusRow, columns: readonly Column[]): Record<string, ColumnValue> {
  return Object.fromEntries(columns.map(({ name }, at) => [name, values[at] ?? null]));
}

/** JSON with all digits of bigints. */
export function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, each: unknown) =>
    typeof each === 'bigint' ? rawJSON(String(each)) : each,
  );
}

/** TypeScript's library does not declare it (ES2027). */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

function withAllDigits(_key: string, value: unknown, { source = '' }: { source?: string }): unknown {
  const isLong = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLong && /^-?\d+$/.test(source) ? BigInt(source) : value;
}
