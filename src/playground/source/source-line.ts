import { byId } from '../page/element.ts';
import { bytes } from '../page/figures.ts';
import type { SourceName } from '../state/state.ts';
import type { ImageSource } from './source.ts';
import type { createSources } from './sources.ts';

const saveSource = byId('save-source', HTMLAnchorElement);
/** The file that the link saves. */
let savedFile: File | undefined;

/** The image of a name. An upload of an earlier visit is replaced by the sample, and the page says so. */
export function openSource(sources: ReturnType<typeof createSources>, name: SourceName): ImageSource {
  const known = sources.open(name);
  const opened = known ?? sources.openSample();
  const note =
    known === undefined && name.kind === 'upload'
      ? `Links and reloads do not contain uploaded files. Choose ${name.name} again; until then this is the sample.`
      : describeSource(opened);
  byId('source-name', HTMLElement).textContent = note;
  saveSource.hidden = opened.file === undefined;
  if (opened.file !== undefined && opened.file !== savedFile) {
    savedFile = opened.file;
    URL.revokeObjectURL(saveSource.href);
    saveSource.href = URL.createObjectURL(opened.file);
    saveSource.download = opened.name;
  }
  return opened;
}

function describeSource({ name, file }: ImageSource): string {
  return file === undefined ? name : `${name}, ${bytes(file.size)}`;
}
