import { type ImageSource, sourceOfFile, sourceOfUrl } from './source.ts';
import { keyOfSource, type SourceName } from './state.ts';

/** The images of this page by their names, for as long as the page is open. */
export function createSources(sample: File) {
  const opened = new Map<string, ImageSource>();

  let openedSample: Promise<ImageSource> | undefined;
  const openSample = () => {
    openedSample ??= sourceOfFile(sample);
    return openedSample;
  };

  return {
    /** Keeps a file. A file of the same name replaces it. */
    async keep(file: File): Promise<SourceName> {
      const source = await sourceOfFile(file);
      const name = { kind: 'upload', name: source.name } as const;
      opened.set(keyOfSource(name), source);
      return name;
    },
    /** @returns undefined for an upload of an earlier visit: its bytes are no longer here */
    async open(name: SourceName): Promise<ImageSource | undefined> {
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
