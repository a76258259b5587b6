import type { ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import { callProblem, callProcess, type Problem, useApiKey } from './call.ts';
import { showChannels } from './channels.ts';
import { createCodePanel } from './code-panel.ts';
import { showLegend } from './compare-numerics.ts';
import { byId } from './element.ts';
import { describeCache, showFacts } from './facts.ts';
import { bytes } from './figures.ts';
import { createForm } from './form.ts';
import { origin } from './origin.ts';
import { type Presentation, present, type View } from './presentation.ts';
import { fillProblemBox } from './problem-box.ts';
import { readService } from './read-service.ts';
import { requestOf } from './request.ts';
import { drawSample } from './sample.ts';
import type { Settings } from './settings.ts';
import { outputName } from './snippets.ts';
import { blobOf, type ImageSource, sourceOfFile, sourceOfUrl } from './source.ts';
import { listenToInputs } from './source-inputs.ts';
import { setUpTheme } from './theme.ts';
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
let chosenView: View = 'slider';
let needsKey = false;
let call = new AbortController();
let timer: ReturnType<typeof setTimeout> | undefined;
let lastResponse: ProcessResponse | undefined;

setUpTheme();
const viewer = createViewer();
const codePanel = createCodePanel(announce);
const form = createForm(() => {
  clearTimeout(timer);
  timer = setTimeout(run, typingPauseMs);
  showCode();
});
listenToInputs({
  onFile: (file) => void useFile(file),
  onUrl: (url) => void useUrl(url),
  onSample: () => void useFile(sample),
  onKey(entered) {
    useApiKey(entered);
    void run();
  },
  onRun: () => void run(),
});
setUpViews();
const [service, sample] = await Promise.all([readService(`${origin}/openapi.json`), drawSample()]);
needsKey = service.needsKey;
byId('key-group', HTMLElement).hidden = !needsKey;
form.write(service.defaults);
if (source === undefined) await useFile(sample);

/** Cancels the call in flight and the one that is due: their source or settings are out of date. */
function cancelCall(): void {
  clearTimeout(timer);
  call.abort();
}

/** Calls the service with the form's settings, and shows the response. */
async function run(): Promise<void> {
  cancelCall();
  call = new AbortController();
  const { signal } = call;
  if (source === undefined) return;
  const settings = form.read();
  stage.dataset.busy = '';
  showCode();
  try {
    if (needsKey && key.value === '') return showProblem(missingKey);
    const started = performance.now();
    const response = await callProcess({ ...requestOf(settings), source: source.message }, signal);
    const roundTripMs = performance.now() - started;
    const presentation = await present(viewFor(settings), settings, response, source, signal);
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
function viewFor({ output }: Settings): View {
  if (chosenView === 'difference') return chosenView;
  if (output === 'tensor') return 'channels';
  return chosenView === 'channels' ? 'slider' : chosenView;
}

function showPresentation(presentation: Presentation): void {
  const { view } = presentation;
  const scene = 'scene' in presentation ? presentation.scene : undefined;
  stage.hidden = scene === undefined;
  channels.hidden = scene !== undefined;
  byId('slider-row', HTMLElement).hidden = scene?.mode !== 'slider' || scene.left === undefined;
  byId('legend', HTMLElement).hidden = view !== 'difference';
  for (const button of document.querySelectorAll<HTMLElement>('.zoom')) button.hidden = scene === undefined;
  const isTensor = form.read().output === 'tensor';
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

function setUpViews(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[name=view]')) {
    input.addEventListener('change', () => {
      chosenView = input.value as View;
      void run();
    });
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
    form.write({ preset: name });
    byId('preset', HTMLInputElement).focus();
    void run();
  });
}

function offerDownload(settings: Settings, response: ProcessResponse): void {
  URL.revokeObjectURL(download.href);
  download.href = URL.createObjectURL(blobOf(response));
  download.download = outputName(settings, source?.name ?? '');
  download.textContent = `Download ${download.download}`;
  download.hidden = false;
}

function showCode(): void {
  if (source === undefined) return;
  codePanel.show(form.read(), {
    source: source.file === undefined ? { url: source.name } : { file: source.name },
    api: origin,
    needsKey,
    responseBytes: lastResponse?.content.length,
  });
}

function announce(text: string): void {
  byId('live', HTMLElement).textContent = text;
}

async function useFile(file: File): Promise<void> {
  cancelCall();
  source = await sourceOfFile(file);
  byId('source-name', HTMLElement).textContent = `${source.name}, ${bytes(file.size)}`;
  URL.revokeObjectURL(saveSource.href);
  saveSource.href = URL.createObjectURL(file);
  saveSource.download = source.name;
  saveSource.hidden = false;
  await run();
}

async function useUrl(url: string): Promise<void> {
  cancelCall();
  source = sourceOfUrl(url);
  byId('source-name', HTMLElement).textContent = url;
  saveSource.hidden = true;
  await run();
}
