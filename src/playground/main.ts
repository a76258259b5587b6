import { maxVariants } from '../options/image-options.ts';
import { createCodePanel } from './calls/code-panel.ts';
import { createStackPanel } from './compare/stack-panel.ts';
import { createForm } from './form/form.ts';
import { initialPage, initialSettings } from './form/settings.ts';
import { createImages } from './images/images.ts';
import { byId } from './page/element.ts';
import { createJumpBar } from './page/jump-bar.ts';
import { setUpTheme } from './page/theme.ts';
import { isConfigFile } from './presets/config-file.ts';
import { loadCatalogue } from './presets/preset-catalogue.ts';
import { createPresetField } from './presets/preset-field.ts';
import { createRun } from './run/run.ts';
import { useApiKey } from './service/call.ts';
import { createKeyField } from './service/key-field.ts';
import { origin } from './service/origin.ts';
import { readService } from './service/read-service.ts';
import { createGivenFiles, isTensorFile } from './skew/given.ts';
import { createSkewPanel } from './skew/skew-panel.ts';
import { createDocumentFields } from './source/document-fields.ts';
import { createPreview } from './source/preview.ts';
import { drawSample } from './source/sample.ts';
import { listenToInputs } from './source/source-inputs.ts';
import { createSources } from './source/sources.ts';
import { noGiven, type SourceName } from './state/state.ts';
import { createStore } from './state/store.ts';
import type { View } from './state/view.ts';
import { createStatus } from './status/status.ts';
import { viewOf } from './view/presentation.ts';
import { createResultPanel, markView } from './view/result-panel.ts';
import { createViewer } from './view/viewer.ts';

/*
 * The playground: sends the settings and an image to the service through Connect and shows the response. This file makes
 * the parts of the page and joins them; ★ run/run.ts is the path of a request.
 */

/** Presets that the view of presets shows beside that of the settings. */
const initialOthers = ['google/vit-base-patch16-224', 'facebook/dinov2-base', 'ultralytics/yolo'];

setUpTheme();
const jumpBar = createJumpBar();
const codePanel = createCodePanel(announce);
const stackPanel = createStackPanel((rival) => store.change({ rival }));
const skewPanel = createSkewPanel({
  onChange: (changes, field) => store.change({ given: { ...store.get().given, ...changes } }, field),
  onFile: (file) => showGiven(file),
  announce,
});
const resultPanel = createResultPanel(createViewer(), stackPanel, skewPanel, (name) => {
  store.change({ others: store.get().others.filter((each) => each !== name) });
});
const status = createStatus({
  onCancel: () => runs.stop(),
  onRetry: () => void runs.run(),
  onPreset(name) {
    store.change({ settings: { ...store.get().settings, preset: name } });
    byId('preset', HTMLInputElement).focus();
  },
});
const [service, sample] = await Promise.all([readService(`${origin}/openapi.json`), drawSample()]);
const keyField = createKeyField(service.needsKey);
const sources = createSources(sample);
const givenFiles = createGivenFiles();
const store = createStore({
  sources: [{ kind: 'sample' }],
  selected: 0,
  settings: { ...initialSettings, ...service.defaults },
  view: 'stack',
  rival: 'opencv',
  others: initialOthers,
  given: noGiven,
});
const images = createImages(store, sources, service.maxUploadBytes);
const form = createForm((field) => store.change({ settings: form.read() }, field));
const addField = createPresetField('add-preset', async (name) => {
  addField.write('');
  const isKnown = (await loadCatalogue()).some((preset) => preset.name === name);
  if (isKnown)
    store.change({ others: [...new Set([...store.get().others, name])].slice(0, maxVariants - 2) });
});
const documentFields = createDocumentFields(() => void runs.run());
const preview = createPreview(status, resultPanel);
const runs = createRun({
  store,
  sources,
  givenFiles,
  service,
  keyField,
  form,
  images,
  preview,
  documentFields,
  status,
  resultPanel,
  stackPanel,
  codePanel,
  jumpBar,
  announce,
});
listenToInputs({
  onFiles(files, isGiven) {
    runs.cancel();
    for (const file of files.filter(isConfigFile)) void form.useConfig(file);
    const others = files.filter((file) => !isConfigFile(file));
    const given = isGiven ? others.at(0) : others.find(isTensorFile);
    const pictures = isGiven ? [] : others.filter((file) => !isTensorFile(file));
    if (pictures.length > 0) showSources(sources.keep(pictures));
    if (given !== undefined) showGiven(given);
  },
  onUrl: (url) => showSources([{ kind: 'url', url }]),
  onSample: () => showSources([{ kind: 'sample' }]),
  onKey(entered) {
    useApiKey(entered);
    void runs.run();
  },
  onRun() {
    jumpBar.leadToResult();
    void runs.run();
  },
});
for (const input of document.querySelectorAll<HTMLInputElement>('input[name=view]')) {
  input.addEventListener('change', () => store.change({ view: input.value as View }));
}
store.subscribe((state, field) => {
  form.write(state.settings);
  markView(viewOf(state));
  skewPanel.follow(state);
  // Only typing waits for a pause.
  runs.runAfter(field !== undefined);
});
addEventListener('online', runs.runIfOffline);
form.write(store.get().settings);
markView(viewOf(store.get()));
skewPanel.follow(store.get());
await runs.run();

function showSources(names: readonly SourceName[]): void {
  // The page of another document is not meant, and a picture takes none of these options.
  const settings = { ...store.get().settings, ...initialPage };
  store.change({ sources: names, selected: 0, settings });
}

/** Compares a file of another program with what the settings give. */
function showGiven(file: File): void {
  store.change({ view: 'skew', given: { ...noGiven, file: givenFiles.keep(file) } });
}

function announce(text: string): void {
  byId('live', HTMLElement).textContent = text;
  jumpBar.show(text);
}
