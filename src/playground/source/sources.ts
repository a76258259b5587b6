import { keyOfSource, type SourceName } from '../state/state.ts';
import { type ImageSource, sourceOfFile, sourceOfUrl } from './source.ts';

/** The images of this page by their names, for as long as the page is open. */
export function createSources(sample: File) {
  const opened = new Map<string, ImageSource>();

  let openedSample: ImageSource | undefined;
  const openSample = () => {
    openedSample ??= sourceOfFile(sample);
    return openedSample;
  };

  return {
    /** Keeps files under their names. Files that were kept earlier under the same names are replaced. */
    keep(files: readonly File[]): SourceName[] {
      return withUniqueNames(files).map((file) => {
        const source = sourceOfFile(file);
        const name = { kind: 'upload', name: source.name } as const;
        opened.set(keyOfSource(name), source);
        return name;
      });
    },
    /** @returns undefined for an upload of an earlier visit: its bytes are no longer here */
    open(name: SourceName): ImageSource | undefined {
      const known = opened.get(keyOfSource(name));
      if (known !== undefined || name.kind === 'upload') return known;
      if (name.kind === 'sample') return openSample();
      const source = sourceOfUrl(name.url);
      opened.set(keyOfSource(name), source);
      return source;
    },
    openSample,
  };
}

/** Files of different folders can have the same name: further ones get a number, as in `photo (2).jpg`. */
function withUniqueNames(files: readonly File[]): File[] {
  const taken = new Set<string>();
  return files.map((file) => {
    let { name } = file;
    for (let number = 2; taken.has(name); number++) name = file.name.replace(/(?=\.\w+$)|$/, ` (${number})`);
    taken.add(name);
    return name === file.name ? file : new File([file], name, { type: file.type });
  });
}
