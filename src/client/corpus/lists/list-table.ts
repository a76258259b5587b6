import type { Column } from '../manifest.ts';
import type { ColumnValue } from '../row.ts';

/** A row of a list before its columns are chosen. */
export interface TableRow {
  /** The values of the columns that were asked for, in their order. */
  readonly values: readonly ColumnValue[];
  /** Why the row cannot be read. */
  readonly problem?: string | undefined;
}

/** A list as a table. It is read from its beginning as often as `rows` is called, and never held as a whole. */
export interface ListTable {
  readonly columns: readonly Column[];
  /** Columns that cannot be carried along, each with its type. */
  readonly leftOut: readonly { readonly name: string; readonly type: string }[];
  /**
   * The rows in their order, many at a time.
   *
   * @param names - of the columns that are needed
   * @throws ClientError if the list cannot be read
   */
  rows(names: readonly string[], signal: AbortSignal): AsyncIterable<readonly TableRow[]>;
}
