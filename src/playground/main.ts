import type { ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import { callProblem, callProcess, type Problem, useApiKey } from './call.ts';
import { showChannels } from './channels.ts';
import { createCodePanel } from './code-panel.ts';
import { showLegend } from './compare-numerics.ts';
import { downloadName } from './download-name.ts';
import { byId } from './element.ts';
import { describeCache, showFacts } from './facts.ts';
import { bytes } from './figures.ts';
import { createForm } from './form.ts';
import { origin } from './origin.ts';
import { type Presentation, present } from './presentation.ts';
import { fillProblemBox } from './problem-box.ts';
import { readService } from './read-service.ts';
import { requestOf } from './request.ts';
import { drawSample } from './sample.ts';
import { initialSettings, type Settings } from './settings.ts';
import { blobOf, type ImageSource } from './source.ts';
import { listenToInputs } from './source-inputs.ts';
import { createSources } from './sources.ts';
import { type SourceName, type State, selectedSource } from './state.ts';
import { createStore } from './store.ts';
import { setUpTheme } from './theme.ts';
import type { View } from './view.ts';
import { createViewer } from './viewer.ts';

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

const stage = byId('stage', HTMLElement);
const channels = byId('channels', HTMLElement);
const download = byId('download', HTMLAnchorElement);
const saveSource = byId('save-source', HTMLAnchorElement);
const key = byId('key', HTMLInputElement);

let source: ImageSource | undefined;
let needsKey = false;
let call = new AbortController();
let timer: ReturnType<typeof setTimeout> | undefined;
let lastResponse: ProcessResponse | undefined;

setUpTheme();
const viewer = createViewer();
const codePanel = createCodePanel(announce);
const [service, sample] = await Promise.all([readService(`${origin}/openapi.json`), drawSample()]);
needsKey = service.needsKey;
byId('key-group', HTMLElement).hidden = !needsKey;
const sources = createSources(sample);
const store = createStore({
  sources: [{ kind: 'sample' }],
  selected: 0,
  settings: { ...initialSettings, ...service.defaults },
  view: 'slider',
});
const form = createForm((field) => store.change({ settings: form.read() }, field));
listenToInputs({
  onFile: async (file) => showSource(await sources.keep(file)),
  onUrl: (url) => showSource({ kind: 'url', url }),
  onSample: () => showSource({ kind: 'sample' }),
  onKey(entered) {
    useApiKey(entered);
    void run();
  },
  onRun: () => void run(),
});
for (const input of document.querySelectorAll<HTMLInputElement>('input[name=view]')) {
  input.addEventListener('change', () => store.change({ view: input.value as View }));
}
store.subscribe((state, field) => {
  form.write(state.settings);
  cancelCall();
  showCode();
  // Only typing waits for a pause.
  if (field === undefined) void run();
  else timer = setTimeout(run, typingPauseMs);
});
form.write(store.get().settings);
await run();

function showSource(name: SourceName): void {
  store.change({ sources: [name], selected: 0 });
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
  stage.dataset.busy = '';
  try {
    source = await openSource(selectedSource(state));
    if (signal.aborted) return;
    showCode();
    if (needsKey && key.value === '') return showProblem(missingKey);
    const started = performance.now();
    const response = await callProcess({ ...requestOf(settings), source: source.message }, signal);
    const roundTripMs = performance.now() - started;
    const presentation = await present(viewFor(state), settings, response, source, signal);
    if (signal.aborted) return;
    lastResponse = response;
    showProblem(undefined);
    showFacts(response, roundTripMs);
    offerDownload(settings, response);
    showPresentation(presentation);
    showCode();
    const { summary } = presentation;
    announce(`${summary}, ${bytes(response.content.length)}, ${describeCache(response.cache)}.`);
  } catch (error) {
    const problem = callProblem(error, signal);
    if (problem !== undefined) showProblem(problem);
  } finally {
    if (!signal.aborted) delete stage.dataset.busy;
  }
}

/** The chosen view where the settings allow it, else the one that they do allow. */
function viewFor({ view, settings }: State): View {
  if (view === 'difference') return view;
  if (settings.output === 'tensor') return 'channels';
  return view === 'channels' ? 'slider' : view;
}

function showPresentation(presentation: Presentation): void {
  const { view } = presentation;
  const scene = 'scene' in presentation ? presentation.scene : undefined;
  stage.hidden = scene === undefined;
  channels.hidden = scene !== undefined;
  byId('slider-row', HTMLElement).hidden = scene?.mode !== 'slider' || scene.left === undefined;
  byId('legend', HTMLElement).hidden = view !== 'difference';
  for (const button of document.querySelectorAll<HTMLElement>('.zoom')) button.hidden = scene === undefined;
  const isTensor = store.get().settings.output === 'tensor';
  for (const input of document.querySelectorAll<HTMLInputElement>('input[name=view]')) {
    input.checked = input.value === view;
    input.disabled = input.value !== 'difference' && (input.value === 'channels') !== isTensor;
  }
  if ('planes' in presentation) {
    viewer.clear();
    showChannels(presentation.planes, presentation.channelNames);
  } else {
    viewer.show(presentation.scene);
    if (presentation.difference !== undefined) showLegend(presentation.difference);
  }
}

/** Reports a problem, or that there is none. */
function showProblem(problem: Problem | undefined): void {
  stage.classList.toggle('stale', problem !== undefined);
  channels.classList.toggle('stale', problem !== undefined);
  form.mark(problem?.metadata.option ?? (problem?.reason.startsWith('PRESET_') ? 'preset' : undefined));
  if (problem?.reason === 'UNAUTHENTICATED') {
    needsKey = true;
    byId('key-group', HTMLElement).hidden = false;
  }
  fillProblemBox(problem, (name) => {
    store.change({ settings: { ...store.get().settings, preset: name } });
    byId('preset', HTMLInputElement).focus();
  });
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
  });
}

function announce(text: string): void {
  byId('live', HTMLElement).textContent = text;
}

/** The image of a name. An upload of an earlier visit is replaced by the sample, and the page says so. */
async function openSource(name: SourceName): Promise<ImageSource> {
  const known = await sources.open(name);
  const opened = known ?? (await sources.openSample());
  const note =
    known === undefined && name.kind === 'upload'
      ? `Links and reloads do not contain uploaded files. Choose ${name.name} again; until then this is the sample.`
      : describeSource(opened);
  byId('source-name', HTMLElement).textContent = note;
  saveSource.hidden = opened.file === undefined;
  if (opened.file !== undefined && opened !== source) {
    URL.revokeObjectURL(saveSource.href);
    saveSource.href = URL.createObjectURL(opened.file);
    saveSource.download = opened.name;
  }
  return opened;
}

function describeSource({ name, file }: ImageSource): string {
  return file === undefined ? name : `${name}, ${bytes(file.size)}`;
}
