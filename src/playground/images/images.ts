import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import { requestOf } from '../form/request.ts';
import type { Settings } from '../form/settings.ts';
import { byId } from '../page/element.ts';
import { downloadName } from '../response/download-name.ts';
import type { ImageSource } from '../source/source.ts';
import type { createSources } from '../source/sources.ts';
import type { State } from '../state/state.ts';
import type { createStore } from '../state/store.ts';
import { archiveOf } from './archive.ts';
import { createBatch } from './batch.ts';
import { createFileList } from './file-list.ts';

/** All images of the page: their list, the calls for those that are not shown, and their archive. */
export function createImages(
  store: ReturnType<typeof createStore>,
  sources: ReturnType<typeof createSources>,
  maxUploadBytes: number | undefined,
) {
  const indexOf = (source: ImageSource) =>
    store.get().sources.findIndex((name) => sources.open(name) === source);
  const list = createFileList(
    (source) => store.change({ selected: indexOf(source) }),
    (source) => {
      const index = indexOf(source);
      const { sources: names, selected } = store.get();
      const rest = names.filter((_, at) => at !== index);
      store.change({
        sources: rest,
        selected: Math.min(rest.length - 1, selected - (index < selected ? 1 : 0)),
      });
    },
  );
  const batch = createBatch(maxUploadBytes, list.update);
  byId('download-all', HTMLButtonElement).addEventListener('click', () => {
    save(store.get().settings, batch.responses());
  });

  return {
    note: batch.note,
    cancel: batch.cancel,
    /**
     * Lists the images of a state, and processes those that are not shown.
     *
     * @throws Failure OPTION_INVALID
     */
    start({ sources: names, settings }: State, shown: ImageSource): void {
      const opened = names.map((name) => sources.open(name)).filter((source) => source !== undefined);
      list.show(opened, shown);
      if (opened.length > 1) batch.start(opened, requestOf(settings), JSON.stringify(settings), shown);
      else batch.cancel();
    },
  };
}

function save(settings: Settings, responses: readonly (readonly [ImageSource, ProcessResponse])[]): void {
  const { blob, name } = archiveOf(
    responses.map(([source, { content, contentType }]) => ({
      name: downloadName(settings, source.name, contentType),
      content,
    })),
  );
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
