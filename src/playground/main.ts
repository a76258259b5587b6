import type { ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import { decodeBitmap } from './bitmap.ts';
import { callProblem, callProcess, type Problem, remedies, useApiKey } from './call.ts';
import { showChannels } from './channels.ts';
import { createCodePanel } from './code-panel.ts';
import { compareNumerics, showLegend } from './compare-numerics.ts';
import { byId, element } from './element.ts';
import { describeCache, showFacts } from './facts.ts';
import { bytes, percentage } from './figures.ts';
import { createForm } from './form.ts';
import { origin } from './origin.ts';
import { placementOf } from './placement.ts';
import { findPreset } from './preset-list.ts';
import { readService } from './read-service.ts';
import { requestOf } from './request.ts';
import { drawSample } from './sample.ts';
import type { Settings } from './settings.ts';
import { outputName } from './snippets.ts';
import { blobOf, type ImageSource, sourceOfFile, sourceOfUrl } from './source.ts';
import { readPlanes } from './tensor.ts';
import { setUpTheme } from './theme.ts';
import { createViewer, type Scene } from './viewer.ts';

/*
 * The playground: settings and an image go to the service through Connect, and what comes back is shown.
 * Whatever changes starts the call anew and gives the one before up.
 */

type View = 'slider' | 'sides' | 'channels' | 'difference';

/** Typing goes on for a while. */
const settleMs = 250;

const missingKey: Problem = {
  reason: 'UNAUTHENTICATED',
  title: 'This service asks for an API key',
  message: 'No key has been entered on this page yet.',
  metadata: {},
};

const stage = byId('stage', HTMLElement);
const problemBox = byId('problem', HTMLElement);
const channels = byId('channels', HTMLElement);
const download = byId('download', HTMLAnchorElement);
const saveSource = byId('save-source', HTMLAnchorElement);
const key = byId('key', HTMLInputElement);

let source: ImageSource | undefined;
let wantedView: View = 'slider';
let needsKey = false;
let underWay = new AbortController();
let timer: ReturnType<typeof setTimeout> | undefined;
let shown: { readonly settings: Settings; readonly response: ProcessResponse } | undefined;

setUpTheme();
const viewer = createViewer();
const codePanel = createCodePanel(announce);
const form = createForm(() => {
  clearTimeout(timer);
  timer = setTimeout(run, settleMs);
  showCode();
});
setUpSource();
setUpViews();
const [service, sample] = await Promise.all([readService(`${origin}/openapi.json`), drawSample()]);
needsKey = service.needsKey;
byId('key-group', HTMLElement).hidden = !needsKey;
form.write(service.defaults);
if (source === undefined) await useFile(sample);

/** Cancels the call under way and the one that is due: their source or settings are out of date. */
function leaveRun(): void {
  clearTimeout(timer);
  underWay.abort();
}

/** Calls the service with the form's settings, and shows the response. */
async function run(): Promise<void> {
  leaveRun();
  underWay = new AbortController();
  const { signal } = underWay;
  if (source === undefined) return;
  const settings = form.read();
  stage.dataset.busy = '';
  showCode();
  try {
    if (needsKey && key.value === '') return showProblem(missingKey);
    const started = performance.now();
    const response = await callProcess({ ...requestOf(settings), source: source.message }, signal);
    const roundTripMs = performance.now() - started;
    const show = await prepare(settings, response, source, signal);
    if (signal.aborted) return;
    shown = { settings, response };
    showProblem(undefined);
    showFacts(response, roundTripMs);
    offerDownload(settings, response);
    const told = show();
    showCode();
    announce(`${told}, ${bytes(response.content.length)}, ${describeCache(response.cache)}.`);
  } catch (error) {
    const problem = callProblem(error, signal);
    if (problem !== undefined) showProblem(problem);
  } finally {
    if (!signal.aborted) delete stage.dataset.busy;
  }
}

/** Decodes what has come, and gives back what puts all of it on the screen at once. */
async function prepare(
  settings: Settings,
  response: ProcessResponse,
  from: ImageSource,
  signal: AbortSignal,
): Promise<() => string> {
  const view = viewOf(settings);
  if (view === 'difference') {
    const { scene, difference } = await compareNumerics(settings, from.message, signal);
    return () => {
      showScene(scene, view);
      showLegend(difference);
      return `Exact and fast differ in ${percentage(difference.shareDifferent)} of the values, by ${difference.max} levels at most`;
    };
  }
  const [tensor] = response.tensors;
  if (tensor !== undefined) {
    const { datatype, shape } = tensor;
    const layout = settings.layout === 'nhwc' ? 'nhwc' : 'nchw';
    const planes = readPlanes(response.content, response.contentType, datatype, shape.map(Number), layout);
    const isReversed = settings.recipe === 'own' && settings.channel_order === 'bgr';
    const names = planes.channels.length === 1 ? ['gray'] : isReversed ? ['B', 'G', 'R'] : ['R', 'G', 'B'];
    return () => {
      viewer.clear();
      showScene(undefined, 'channels');
      showChannels(planes, names);
      return `Tensor ${datatype} ${shape.join(' × ')}`;
    };
  }
  const [bitmap, picture] = await Promise.all([
    decodeBitmap(blobOf(response)),
    // Without a picture of the source the result is shown alone.
    from.picture(response, signal).catch(() => undefined),
  ]);
  const { width, height } = response;
  const preset = findPreset(settings.preset);
  const placement = picture && placementOf(settings, preset, picture.original, response);
  const whole = { x: 0, y: 0, width, height };
  const scene: Scene = {
    width,
    height,
    // What lies somewhere that is not known can only stand beside.
    mode: view === 'sides' || placement === undefined ? 'sides' : 'slider',
    left: picture && {
      label: 'Source',
      bitmap: picture,
      placement: placement ?? inside(picture.original, response),
    },
    right: { label: 'Result', bitmap, placement: whole },
  };
  return () => {
    showScene(scene, view);
    return `Result ${width} × ${height} ${response.contentType.replace('image/', '')}`;
  };
}

function inside(of: { width: number; height: number }, box: { width: number; height: number }) {
  const factor = Math.min(box.width / of.width, box.height / of.height);
  const [width, height] = [of.width * factor, of.height * factor];
  return { x: (box.width - width) / 2, y: (box.height - height) / 2, width, height };
}

/** The view that these settings allow: what was wanted, if it has a meaning. */
function viewOf({ output }: Settings): View {
  if (wantedView === 'difference') return wantedView;
  if (output === 'tensor') return 'channels';
  return wantedView === 'channels' ? 'slider' : wantedView;
}

function showScene(scene: Scene | undefined, view: View): void {
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
  if (scene !== undefined) viewer.show(scene);
}

function setUpViews(): void {
  for (const input of document.querySelectorAll<HTMLInputElement>('input[name=view]')) {
    input.addEventListener('change', () => {
      wantedView = input.value as View;
      void run();
    });
  }
}

/** Says what is wrong and what to do, or that nothing is. */
function showProblem(problem: Problem | undefined): void {
  problemBox.hidden = problem === undefined;
  stage.classList.toggle('stale', problem !== undefined);
  channels.classList.toggle('stale', problem !== undefined);
  form.mark(problem?.metadata.option ?? (problem?.reason.startsWith('PRESET_') ? 'preset' : undefined));
  if (problem === undefined) {
    problemBox.replaceChildren();
    return;
  }
  const { reason, title, message, metadata } = problem;
  if (reason === 'UNAUTHENTICATED') {
    needsKey = true;
    byId('key-group', HTMLElement).hidden = false;
  }
  const remedy = remedies[reason];
  const nearest = (metadata.nearest ?? '').split(', ').filter((name) => name !== '');
  problemBox.replaceChildren(
    element('p', { class: 'problem-title' }, element('strong', {}, title), ' ', element('code', {}, reason)),
    element('p', {}, message),
    ...(remedy === undefined ? [] : [element('p', {}, remedy)]),
    ...(nearest.length === 0 ? [] : [element('p', {}, ...nearest.map(offerPreset))]),
  );
}

function offerPreset(name: string): HTMLElement {
  const button = element('button', { type: 'button' }, `Use ${name}`);
  button.addEventListener('click', () => {
    form.write({ preset: name });
    byId('preset', HTMLInputElement).focus();
    void run();
  });
  return button;
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
    answerBytes: shown?.response.content.length,
  });
}

function announce(text: string): void {
  byId('live', HTMLElement).textContent = text;
}

async function useFile(file: File): Promise<void> {
  leaveRun();
  source = await sourceOfFile(file);
  byId('source-name', HTMLElement).textContent = `${source.name}, ${bytes(file.size)}`;
  URL.revokeObjectURL(saveSource.href);
  saveSource.href = URL.createObjectURL(file);
  saveSource.download = source.name;
  saveSource.hidden = false;
  await run();
}

async function useUrl(url: string): Promise<void> {
  leaveRun();
  source = sourceOfUrl(url);
  byId('source-name', HTMLElement).textContent = url;
  saveSource.hidden = true;
  await run();
}

/** All the ways in which an image comes here. */
function setUpSource(): void {
  const file = byId('file', HTMLInputElement);
  const url = byId('url', HTMLInputElement);
  const drop = byId('drop', HTMLElement);
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? [];
    if (chosen !== undefined) void useFile(chosen);
    // The same file may be chosen again, when it has changed.
    file.value = '';
  });
  const load = () => void (url.value.trim() === '' ? url.focus() : useUrl(url.value.trim()));
  byId('load', HTMLButtonElement).addEventListener('click', load);
  url.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    load();
  });
  byId('sample', HTMLButtonElement).addEventListener('click', () => void useFile(sample));

  const enterKey = () => {
    useApiKey(key.value.trim());
    void run();
  };
  byId('use-key', HTMLButtonElement).addEventListener('click', enterKey);
  key.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter') return;
    event.preventDefault();
    enterKey();
  });

  byId('form', HTMLFormElement).addEventListener('submit', (event) => {
    event.preventDefault();
    void run();
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void run();
  });

  document.addEventListener('dragover', (event) => {
    event.preventDefault();
    drop.classList.add('over');
  });
  document.addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) drop.classList.remove('over');
  });
  document.addEventListener('drop', (event) => {
    event.preventDefault();
    drop.classList.remove('over');
    takeTransfer(event.dataTransfer);
  });
  document.addEventListener('paste', (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== 'file';
    if (isTyping && event.clipboardData?.files.length === 0) return;
    takeTransfer(event.clipboardData);
  });
}

/** An image, or else a link to one. */
function takeTransfer(data: DataTransfer | null): void {
  const [file] = data?.files ?? [];
  if (file !== undefined) {
    void useFile(file);
    return;
  }
  const text = data?.getData('text').trim() ?? '';
  if (!/^https?:\/\/\S+$/i.test(text)) return;
  byId('url', HTMLInputElement).value = text;
  void useUrl(text);
}
