import { ClientError } from '../../client-error.ts';
import type { Column } from '../manifest.ts';
import type { ListTable } from './list-table.ts';

/** The columns of a list that the caller names. */
export interface ColumnChoice {
  /** Contains the image's URL. Default: the first of `urlNames` that the list has, or its only column. */
  readonly url: string | undefined;
  /** Contains the sample's id. Default: none; the number of the row is the id. */
  readonly id: string | undefined;
  /** Contains the page of a document. Default: none; all rows have the request's page. */
  readonly page: string | undefined;
  /** Columns that samples carry along. Default: all others. */
  readonly carried: readonly string[] | undefined;
  /** Names that carried columns cannot have, besides those of every corpus: its tensors. */
  readonly reserved: readonly string[];
  /**
   * Whether ids have no dot in their last part: webdataset takes the name of a file up to its first dot as the key, so
   * `a.b` and `a.c` would be one sample.
   */
  readonly idsHaveNoDots: boolean;
}

/** Columns that shards and their indexes have beside the carried ones. */
const ownColumns = [
  'id',
  'row',
  'url',
  'width',
  'height',
  'source_sha256',
  'source_format',
  'source_width',
  'source_height',
  'source_bytes',
  'response_key',
  'image',
];

/** The columns of a list by their purpose. */
export interface ChosenColumns {
  readonly url: string;
  readonly id: string | undefined;
  readonly page: string | undefined;
  readonly carried: readonly Column[];
}

/** Names of columns with URLs, as lists on the Hugging Face Hub have them, in lower case. */
const urlNames = ['url', 'image_url', 'img_url', 'image_link', 'uri', 'link', 'image', 'src'];

/**
 * Chooses the columns of a list.
 *
 * @param list - its name, for messages
 * @throws ClientError COLUMN_MISSING, COLUMN_CLASH
 */
export function chooseColumns(
  { columns, leftOut }: Pick<ListTable, 'columns' | 'leftOut'>,
  choice: ColumnChoice,
  list: string,
): ChosenColumns {
  checkNames(columns, list);
  const find = (name: string, flag: string): Column => {
    const column = columns.find((each) => each.name === name);
    if (column !== undefined) return column;
    const unusable = leftOut.find((each) => each.name === name);
    const why =
      unusable === undefined ? 'does not exist' : `is ${unusable.type}, which a corpus cannot carry`;
    throw new ClientError(
      'usage',
      'COLUMN_MISSING',
      `The column "${name}" of ${flag} ${why}. "${list}" has ${namesOf(columns)}.`,
    );
  };
  const url = choice.url === undefined ? guessUrl(columns, list) : find(choice.url, '--url-column').name;
  const id = choice.id === undefined ? undefined : find(choice.id, '--id-column').name;
  const page = choice.page === undefined ? undefined : find(choice.page, '--page-column').name;
  const others = columns.filter(({ name }) => name !== url && name !== id && name !== page);
  const carried = choice.carried?.map((name) => find(name, '--columns')) ?? others;
  const taken = new Set([...ownColumns, ...(page === undefined ? [] : ['page']), ...choice.reserved]);
  const clash = carried.find(({ name }) => taken.has(name));
  if (clash === undefined) return { url, id, page, carried };
  const rest = others.filter(({ name }) => !taken.has(name));
  throw new ClientError(
    'usage',
    'COLUMN_CLASH',
    `The column "${clash.name}" of "${list}" has the name of a column that the corpus writes itself (${[...taken].join(', ')}). ` +
      `Rename it, or name the columns to carry along: --columns "${rest.map(({ name }) => name).join(',')}".`,
  );
}

/** @throws ClientError COLUMN_CLASH */
function checkNames(columns: readonly Column[], list: string): void {
  const seen = new Set<string>();
  for (const [index, { name }] of columns.entries()) {
    if (name === '') {
      throw new ClientError(
        'usage',
        'COLUMN_CLASH',
        `Column ${index + 1} of "${list}" has no name; name it.`,
      );
    }
    if (seen.has(name)) {
      throw new ClientError(
        'usage',
        'COLUMN_CLASH',
        `"${list}" has two columns "${name}"; rename one of them.`,
      );
    }
    seen.add(name);
  }
}

function guessUrl(columns: readonly Column[], list: string): string {
  const texts = columns.filter(({ type }) => type === 'string');
  const byName = urlNames.flatMap((name) => texts.find((column) => column.name.toLowerCase() === name) ?? []);
  const found = byName[0] ?? (columns.length === 1 ? texts[0] : undefined);
  if (found !== undefined) return found.name;
  throw new ClientError(
    'usage',
    'COLUMN_MISSING',
    `No column of "${list}" has the name of one with URLs (${urlNames.join(', ')}). It has ${namesOf(columns)}; --url-column names one.`,
  );
}

function namesOf(columns: readonly Column[]): string {
  return columns.length === 0
    ? 'no columns'
    : columns.map(({ name, type }) => `${name} (${type})`).join(', ');
}
