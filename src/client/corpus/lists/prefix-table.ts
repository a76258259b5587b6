import { objectUrl, parsePrefixUrl } from '../../../object-storage/object-address.ts';
import type { ObjectStorage } from '../../../object-storage/object-storage.ts';
import type { ListTable, TableRow } from './list-table.ts';

/** The objects below an `s3://` prefix, by the order of their keys. Empty objects whose keys end with `/` are folders of consoles. */
export function openPrefix(url: string, storage: ObjectStorage): ListTable {
  const within = parsePrefixUrl(url);
  return {
    columns: [{ name: 'url', type: 'string' }],
    leftOut: [],
    async *rows(names, signal) {
      for await (const page of storage.list(within, signal)) {
        const objects = page.filter(({ key, bytes }) => bytes > 0 || !key.endsWith('/'));
        yield objects.map(({ key }): TableRow => {
          const address = objectUrl({ bucket: within.bucket, key });
          return { values: names.map(() => address) };
        });
      }
    },
  };
}
