import { Zip, ZipPassThrough } from 'fflate';

/** A file of an archive. */
export interface ArchiveEntry {
  readonly name: string;
  readonly content: Uint8Array;
}

/**
 * Files as one ZIP archive, stored: images are compressed already. An archive of only npy files is what NumPy calls npz,
 * so `numpy.load` reads it.
 *
 * @returns the archive, and a name for it
 */
export function archiveOf(entries: readonly ArchiveEntry[]): { readonly blob: Blob; readonly name: string } {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const zip = new Zip((error, chunk) => {
    if (error !== null) throw error;
    parts.push(chunk as Uint8Array<ArrayBuffer>);
  });
  for (const { name, content } of unique(entries)) {
    const file = new ZipPassThrough(name);
    zip.add(file);
    file.push(content, true);
  }
  zip.end();
  const isNpz = entries.every(({ name }) => name.endsWith('.npy'));
  return { blob: new Blob(parts, { type: 'application/zip' }), name: isNpz ? 'tensors.npz' : 'images.zip' };
}

/** Numbers the names that occur again: `a.png`, `a-2.png`. */
function unique(entries: readonly ArchiveEntry[]): ArchiveEntry[] {
  const taken = new Set<string>();
  return entries.map(({ name, content }) => {
    let free = name;
    for (let number = 2; taken.has(free); number++) free = name.replace(/(?=\.\w+$)|$/, `-${number}`);
    taken.add(free);
    return { name: free, content };
  });
}
