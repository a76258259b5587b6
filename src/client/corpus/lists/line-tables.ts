import { ClientError } from '../../client-error.ts';
import type { Column } from '../manifest.ts';
import type { ColumnValue } from '../row.ts';
import type { ListFile } from './list-file.ts';
import type { ListTable, TableRow } from './list-table.ts';
import { linesOfList } from './text-pieces.ts';

/** The column of lists that have only one. */
const onlyColumn: Column = { name: 'url', type: 'string' };

/** One URL per line; lines that begin with `#` are comments. */
export function openLines(file: ListFile): ListTable {
  return {
    columns: [onlyColumn],
    leftOut: [],
    async *rows(names, signal) {
      for await (const lines of linesOfList(file, signal)) {
        const urls = lines.filter(({ text }) => !text.startsWith('#'));
        yield urls.map(({ text }): TableRow => ({ values: names.map(() => text) }));
      }
    },
  };
}

/**
 * One JSON object per line. A first pass finds the columns and their types, because a line may have members that the lines
 * before it lack.
 *
 * @throws ClientError LIST_INVALID if no line is a JSON object
 */
export async function openJsonLines(file: ListFile, signal: AbortSignal): Promise<ListTable> {
  const types = new Map<string, Column['type'] | undefined>();
  let first: number | undefined;
  let objects = 0;
  for await (const lines of linesOfList(file, signal)) {
    for (const { number, text } of lines) {
      const object = objectIn(text);
      first ??= number;
      if (object === undefined) continue;
      objects++;
      for (const [name, value] of Object.entries(object)) types.set(name, joined(types.get(name), value));
    }
  }
  if (objects === 0 && first !== undefined) {
    throw new ClientError(
      'usage',
      'LIST_INVALID',
      `No line of "${file.name}" is a JSON object; line ${first} is the first.`,
    );
  }
  return {
    columns: [...types].map(([name, type = 'string']) => ({ name, type })),
    leftOut: [],
    async *rows(names, stop) {
      const wanted = names.map((name) => ({ name, type: types.get(name) }));
      for await (const lines of linesOfList(file, stop)) {
        yield lines.map(({ number, text }): TableRow => {
          const object = objectIn(text);
          if (object === undefined) return { values: [], problem: `Line ${number} is not a JSON object.` };
          return { values: wanted.map(({ name, type }) => valueAs(type, object[name])) };
        });
      }
    },
  };
}

type JsonObject = Readonly<Record<string, unknown>>;

function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = /\d{16}/.test(text)
      ? JSON.parse(text, withAllDigits as Reviver)
      : JSON.parse(text);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

type Reviver = (key: string, value: unknown) => unknown;

/** An id may have more digits than a JavaScript number. */
function withAllDigits(_key: string, value: unknown, { source = '' }: { source?: string }): unknown {
  const isLong = typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value);
  return isLong && /^-?\d+$/.test(source) ? BigInt(source) : value;
}

/** The type of a column with one more value; undefined as long as it has none. */
function joined(type: Column['type'] | undefined, value: unknown): Column['type'] | undefined {
  const other = typeOf(value);
  if (other === undefined || other === type) return type;
  if (type === undefined) return other;
  const areNumbers = [type, other].every((each) => each === 'int64' || each === 'double');
  return areNumbers ? 'double' : 'json';
}

function typeOf(value: unknown): Column['type'] | undefined {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'boolean';
    case 'bigint':
      return BigInt.asIntN(64, value) === value ? 'int64' : 'json';
    case 'number':
      return Number.isInteger(value) ? 'int64' : 'double';
    default:
      return value === null || value === undefined ? undefined : 'json';
  }
}

function valueAs(type: Column['type'] | undefined, value: unknown): ColumnValue {
  if (type === 'double' && typeof value === 'bigint') return Number(value);
  return (value ?? null) as ColumnValue;
}
