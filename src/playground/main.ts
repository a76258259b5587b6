import type { ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import { maxVariants } from '../options/image-options.ts';
import { createCodePanel } from './calls/code-panel.ts';
import { compareOthers } from './compare/compare-others.ts';
import { createStackPanel } from './compare/stack-panel.ts';
import { createForm } from './form/form.ts';
import { requestOf } from './form/request.ts';
import { initialSettings, type Settings } from './form/settings.ts';
import { createImages } from './images/images.ts';
import { byId } from './page/element.ts';
import { bytes } from './page/figures.ts';
import { createJumpBar } from './page/jump-bar.ts';
import { setUpTheme } from './page/theme.ts';
import { isConfigFile } from './presets/config-file.ts';
import { loadCatalogue } from './presets/preset-catalogue.ts';
import { createPresetField } from './presets/preset-field.ts';
import { downloadName } from './response/download-name.ts';
import { describeCache, showFacts } from './response/facts.ts';
import { callVariants, useApiKey } from './service/call.ts';
import { origin } from './service/origin.ts';
import { callProblem, type Problem } from './service/problem.ts';
import { readService } from './service/read-service.ts';
import { withRetries } from './service/retries.ts';
import { drawSample } from './source/sample.ts';
import { blobOf, type ImageSource } from './source/source.ts';
import { listenToInputs } from './source/source-inputs.ts';
import { openSource } from './source/source-line.ts';
import { createSources } from './source/sources.ts';
import { checkLength } from './source/upload-limit.ts';
import { type SourceName, type State, selectedSource } from './state/state.ts';
import { createStore } from './state/store.ts';
import type { View } from './state/view.ts';
import { describeProgress } from './status/progress-view.ts';
import { createStatus } from './status/status.ts';
import { present, requestsOfView, viewOf } from './view/presentation.ts';
import { createResultPanel, markView } from './view/result-panel.ts';
import { createViewer } from './view/viewer.ts';

/*
 * The playground: sends the settings and an image to the service through Connect and shows the response. Every change
 * cancels the call in flight and starts another.
 */

/** From the last keystroke to the call, in milliseconds. */
const typingPauseMs = 250;

const missingKey: Problem = {
  reason: 'UNAUTHENTICATED',
  title: 'This service asks for an API key',
  message: 'No key has been entered on this page yet.',
  metadata: {},
};

/** Presets that the view of presets shows beside that of the settings. */
const initialOthers = ['google/vit-base-patch16-224', 'facebook/dinov2-base', 'ultralytics/yolo'];

const download = byId('download', HTMLAnchorElement);
const key = byId('key', HTMLInputElement);

let source: ImageSource | undefined;
/** The image whose preview or result is shown. */
let shownSource: ImageSource | undefined;
let needsKey = false;
let call = new AbortController();
let timer: ReturnType<typeof setTimeout> | undefined;
let lastProblem: Problem | undefined;
let lastResponse: ProcessResponse | undefined;
/** The image and the settings of the figures of the rivals. */
let comparedTask = '';

setUpTheme();
const jumpBar = createJumpBar();
const codePanel = createCodePanel(announce);
const stackPanel = createStackPanel((rival) => store.change({ rival }));
const resultPanel = createResultPanel(createViewer(), stackPanel, (name) => {
  store.change({ others: store.get().others.filter((each) => each !== name) });
});
const status = createStatus({
  onCancel() {
    cancelCall();
    images.cancel();
    status.cancelled();
    announce('Cancelled.');
  },
  onRetry: () => void run(),
  onPreset(name) {
    store.change({ settings: { ...store.get().settings, preset: name } });
    byId('preset', HTMLInputElement).focus();
  },
});
const [service, sample] = await Promise.all([readService(`${origin}/openapi.json`), drawSample()]);
needsKey = service.needsKey;
byId('key-group', HTMLElement).hidden = !needsKey;
const sources = createSources(sample);
const store = createStore({
  sources: [{ kind: 'sample' }],
  selected: 0,
  settings: { ...initialSettings, ...service.defaults },
  view: 'stack',
  rival: 'opencv',
  others: initialOthers,
});
const images = createImages(store, sources, service.maxUploadBytes);
const form = createForm((field) => store.change({ settings: form.read() }, field));
const addField = createPresetField('add-preset', async (name) => {
  addField.write('');
  const isKnown = (await loadCatalogue()).some((preset) => preset.name === name);
  if (isKnown)
    store.change({ others: [...new Set([...store.get().others, name])].slice(0, maxVariants - 2) });
});
listenToInputs({
  onFiles(files) {
    cancelCall();
    for (const file of files.filter(isConfigFile)) void form.useConfig(file);
    const pictures = files.filter((file) => !isConfigFile(file));
    if (pictures.length > 0) showSources(sources.keep(pictures));
  },
  onUrl: (url) => showSources([{ kind: 'url', url }]),
  onSample: () => showSources([{ kind: 'sample' }]),
  onKey(entered) {
    useApiKey(entered);
    void run();
  },
  onRun() {
    jumpBar.leadToResult();
    void run();
  },
});
for (const input of document.querySelectorAll<HTMLInputElement>('input[name=view]')) {
  input.addEventListener('change', () => store.change({ view: input.value as View }));
}
store.subscribe((state, field) => {
  form.write(state.settings);
  markView(viewOf(state));
  cancelCall();
  showCode();
  // Only typing waits for a pause.
  if (field === undefined) void run();
  else timer = setTimeout(run, typingPauseMs);
});
addEventListener('online', () => {
  if (lastProblem?.reason === 'OFFLINE') void run();
});
form.write(store.get().settings);
markView(viewOf(store.get()));
await run();

function showSources(names: readonly SourceName[]): void {
  store.change({ sources: names, selected: 0 });
}

/** Cancels the call in flight and the one that is due: their source or settings are out of date. */
function cancelCall(): void {
  clearTimeout(timer);
  call.abort();
}

/** Calls the service for the state, and shows the response. */
async function run(): Promise<void> {
  cancelCall();
  call = new AbortController();
  const { signal } = call;
  const state = store.get();
  const { settings } = state;
  const shown = openSource(sources, selectedSource(state));
  source = shown;
  status.working({ phase: 'processing' });
  void showPreview(shown, signal);
  showCode();
  try {
    images.start(state, shown);
    if (needsKey && key.value === '') return showProblem(missingKey);
    const started = performance.now();
    const [response, ...others] = await responsesTo(shown, state, signal);
    if (response === undefined) throw new Error('A response is missing.');
    const roundTripMs = performance.now() - started;
    const presentation = await present(state, response, others, shown, signal);
    if (signal.aborted) return;
    lastResponse = response;
    shownSource = shown;
    images.note(shown, { kind: 'done', response });
    status.done();
    lastProblem = undefined;
    form.mark(undefined);
    showFacts(response, roundTripMs);
    offerDownload(settings, response);
    forgetOldFigures(state);
    resultPanel.show(presentation, state);
    showCode();
    const { summary } = presentation;
    announce(`${summary}, ${bytes(response.content.length)}, ${describeCache(response.cache)}.`);
    const [exact] = others;
    if (presentation.view !== 'stack' || exact === undefined) return;
    for await (const comparison of compareOthers(state, exact, shown, signal)) stackPanel.note(comparison);
  } catch (error) {
    const problem = callProblem(error, signal);
    if (problem !== undefined) showProblem(problem);
  }
}

/** The responses to the settings and to the requests of the view, in one call. Its progress is shown. */
function responsesTo(
  of: ImageSource,
  state: State,
  signal: AbortSignal,
): Promise<readonly ProcessResponse[]> {
  const requests = [requestOf(state.settings), ...requestsOfView(state)];
  if (of.file !== undefined) checkLength(of.file, service.maxUploadBytes);
  const call = async () =>
    callVariants(await of.message(), requests, signal, (progress) => {
      if (signal.aborted) return;
      status.working(progress);
      jumpBar.show(describeProgress(progress).text);
      images.note(of, { kind: 'working', progress });
    });
  return withRetries(call, signal, (pause) => {
    status.paused(pause);
    images.note(of, { kind: 'paused', ...pause });
  });
}

/** Shows an image before it is processed, if what is shown is another one. */
async function showPreview(next: ImageSource, signal: AbortSignal): Promise<void> {
  if (shownSource === next) return;
  status.forgetResult();
  const bitmap = await next.preview();
  if (signal.aborted || shownSource === next) return;
  shownSource = next;
  resultPanel.preview(bitmap, next.name);
  const note = byId('preview-note', HTMLElement);
  note.hidden = bitmap !== undefined || next.file === undefined;
  note.textContent = `This browser cannot draw ${next.name}. Its picture comes with the result, from the service.`;
}

/** Empties the figures of the rivals if they belong to another image or other settings. */
function forgetOldFigures(state: State): void {
  const task = JSON.stringify([selectedSource(state), state.settings]);
  if (task !== comparedTask) stackPanel.clear();
  comparedTask = task;
}

/** Reports the problem of the image that is shown. */
function showProblem(problem: Problem): void {
  lastProblem = problem;
  jumpBar.show(problem.title);
  status.failed(problem);
  if (source !== undefined) images.note(source, { kind: 'failed', problem });
  form.mark(problem);
  if (problem.reason === 'UNAUTHENTICATED') {
    needsKey = true;
    byId('key-group', HTMLElement).hidden = false;
  }
}

function offerDownload(settings: Settings, response: ProcessResponse): void {
  URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(blobOf(response));
  download.download = downloadName(settings, source?.name ?? '', response.contentType);
  download.textContent = `Download ${download.download}`;
  download.hidden = false;
}

function showCode(): void {
  if (source === undefined) return;
  codePanel.show(store.get().settings, {
    source: source.file === undefined ? { url: source.name } : { file: source.name },
    api: origin,
    needsKey,
    defaults: service.imageDefaults,
    responseBytes: lastResponse?.content.length,
    responseType: lastResponse?.contentType,
  });
}

function announce(text: string): void {
  byId('live', HTMLElement).textContent = text;
  jumpBar.show(text);
}
