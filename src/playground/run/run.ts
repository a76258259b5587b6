import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import type { CallContext } from '../calls/call-context.ts';
import type { createCodePanel } from '../calls/code-panel.ts';
import { compareOthers } from '../compare/compare-others.ts';
import type { createStackPanel } from '../compare/stack-panel.ts';
import type { createForm } from '../form/form.ts';
import type { createImages } from '../images/images.ts';
import { bytes } from '../page/figures.ts';
import type { createJumpBar } from '../page/jump-bar.ts';
import { offerDownload } from '../response/download.ts';
import { describeCache, showFacts } from '../response/facts.ts';
import type { CallEvents } from '../service/call-events.ts';
import { type createKeyField, missingKey } from '../service/key-field.ts';
import { origin } from '../service/origin.ts';
import { callProblem, type Problem } from '../service/problem.ts';
import type { ServiceFacts } from '../service/read-service.ts';
import type { createGivenFiles } from '../skew/given.ts';
import { type Chosen, openGiven, presentSkew, type SkewPresentation } from '../skew/present-skew.ts';
import type { createDocumentFields } from '../source/document-fields.ts';
import type { createPreview } from '../source/preview.ts';
import type { ImageSource } from '../source/source.ts';
import { openSource } from '../source/source-line.ts';
import type { createSources } from '../source/sources.ts';
import { type State, selectedSource } from '../state/state.ts';
import type { createStore } from '../state/store.ts';
import { describeProgress } from '../status/progress-view.ts';
import type { createStatus } from '../status/status.ts';
import { type Presentation, present, viewOf } from '../view/presentation.ts';
import type { createResultPanel } from '../view/result-panel.ts';
import { type Responses, requestOutputs } from './responses.ts';

/** The data that a run reads, and the parts of the page that it writes to. */
export interface RunParts {
  readonly store: ReturnType<typeof createStore>;
  readonly sources: ReturnType<typeof createSources>;
  readonly givenFiles: ReturnType<typeof createGivenFiles>;
  readonly service: ServiceFacts;
  readonly keyField: ReturnType<typeof createKeyField>;
  readonly form: ReturnType<typeof createForm>;
  readonly images: ReturnType<typeof createImages>;
  readonly preview: ReturnType<typeof createPreview>;
  readonly documentFields: ReturnType<typeof createDocumentFields>;
  readonly status: ReturnType<typeof createStatus>;
  readonly resultPanel: ReturnType<typeof createResultPanel>;
  readonly stackPanel: ReturnType<typeof createStackPanel>;
  readonly codePanel: ReturnType<typeof createCodePanel>;
  readonly jumpBar: ReturnType<typeof createJumpBar>;
  readonly announce: (text: string) => void;
}

/** From the last keystroke to the call, in milliseconds. */
const typingPauseMs = 250;

/**
 * The path of a request: source → preview → call → presentation → panels. Every run cancels the one before it, whose
 * source or settings are out of date.
 */
export function createRun(parts: RunParts) {
  const { store, sources, givenFiles, service, keyField, form, images, preview, status, announce } = parts;
  let call = new AbortController();
  let isCalling = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let source: ImageSource | undefined;
  let lastProblem: Problem | undefined;
  let lastResponse: ProcessResponse | undefined;
  /** The file of another program that is shown. */
  let chosen: Chosen | undefined;

  /** Cancels the call in flight and the one that is due. */
  function cancel(): void {
    clearTimeout(timer);
    call.abort();
  }

  /** Calls the service for the state, and shows the response. */
  async function run(): Promise<void> {
    cancel();
    call = new AbortController();
    const { signal } = call;
    const state = store.get();
    const shown = openSource(sources, selectedSource(state));
    source = shown;
    parts.documentFields.follow(shown);
    status.working({ phase: 'processing' });
    void preview.show(shown, signal);
    showCode();
    isCalling = true;
    try {
      images.start(state, shown);
      if (keyField.isMissing()) return showProblem(missingKey);
      const events = eventsOf(shown, signal);
      const responses = await requestOutputs(shown, state, service.maxUploadBytes, events, signal);
      const presentation = await presentationOf(shown, state, responses, events, signal);
      if (signal.aborted) return;
      showResult(shown, responses, presentation);
      await compareFurther(shown, responses, presentation, signal);
    } catch (error) {
      const problem = callProblem(error, signal);
      if (problem !== undefined) showProblem(problem);
    } finally {
      if (call.signal === signal) isCalling = false;
    }
  }

  async function presentationOf(
    of: ImageSource,
    state: State,
    { response, others }: Responses,
    events: CallEvents,
    signal: AbortSignal,
  ): Promise<Presentation | SkewPresentation> {
    const view = viewOf(state);
    if (view !== 'skew') return present(view, state, response, others, of, signal);
    const [picture, planes] = others;
    const expected = { response, picture, planes };
    chosen = await openGiven(state, expected, of, givenFiles, signal);
    signal.throwIfAborted();
    showCode();
    return presentSkew(state, chosen, expected, of, events, signal);
  }

  /** Shows how far the call for an image has come. */
  function eventsOf(of: ImageSource, signal: AbortSignal): CallEvents {
    return {
      onProgress(progress) {
        if (signal.aborted) return;
        status.working(progress);
        parts.jumpBar.show(describeProgress(progress).text);
        images.note(of, { kind: 'working', progress });
      },
      onPause(pause) {
        status.paused(pause);
        images.note(of, { kind: 'paused', ...pause });
      },
    };
  }

  function showResult(
    of: ImageSource,
    { response, roundTripMs }: Responses,
    presentation: Presentation | SkewPresentation,
  ): void {
    const state = store.get();
    lastResponse = response;
    lastProblem = undefined;
    preview.replaceBy(of);
    images.note(of, { kind: 'done', response });
    status.done();
    form.mark(undefined);
    showFacts(response, roundTripMs);
    parts.documentFields.showResponse(response);
    offerDownload(state.settings, of.name, response);
    parts.stackPanel.keepFiguresOf(state);
    parts.resultPanel.show(presentation, state);
    showCode();
    announce(announcementOf(presentation, response));
  }

  /** Compares with the rivals that are not chosen, in the view of comparisons. */
  async function compareFurther(
    of: ImageSource,
    { others: [exact] }: Responses,
    { view }: Presentation | SkewPresentation,
    signal: AbortSignal,
  ): Promise<void> {
    if (view !== 'stack' || exact === undefined) return;
    for await (const comparison of compareOthers(store.get(), exact, of, signal)) {
      parts.stackPanel.note(comparison);
    }
  }

  /** Reports the problem of the image that is shown. */
  function showProblem(problem: Problem): void {
    lastProblem = problem;
    if (store.get().view === 'skew') {
      // A report on another tensor, even a pale one, would be read as that on this one.
      status.forgetResult();
      parts.resultPanel.forgetSkew();
    }
    parts.jumpBar.show(problem.title);
    status.failed(problem);
    if (source !== undefined) images.note(source, { kind: 'failed', problem });
    form.mark(problem);
    if (source !== undefined) parts.documentFields.showProblem(problem, source);
    // The call needs a password where the document does.
    showCode();
    if (problem.reason === 'UNAUTHENTICATED') keyField.require();
  }

  /** Writes the calls of the state. */
  function showCode(): void {
    if (source === undefined) return;
    parts.codePanel.show(store.get().settings, {
      source: source.file === undefined ? { url: source.name } : { file: source.name },
      api: origin,
      needsKey: keyField.isNeeded(),
      isEncrypted: source.password !== undefined,
      given: store.get().view === 'skew' ? givenFile(chosen) : undefined,
      defaults: service.imageDefaults,
      responseBytes: lastResponse?.content.length,
      responseType: lastResponse?.contentType,
    });
  }

  return {
    run,
    cancel,
    /** Cancels the run, as the visitor asks. */
    stop(): void {
      cancel();
      images.cancel();
      status.cancelled();
      announce('Cancelled.');
    },
    /** Runs after a change. @param isTyped - whether more keystrokes may follow */
    runAfter(isTyped: boolean): void {
      cancel();
      showCode();
      if (isTyped) timer = setTimeout(run, typingPauseMs);
      else void run();
    },
    /** Runs again if the last run failed because the browser was offline, or if its call may have begun then. */
    runIfOffline(): void {
      if (isCalling || lastProblem?.reason === 'OFFLINE') void run();
    },
  };
}

/** The file of another program in the calls to copy. */
function givenFile(chosen: Chosen | undefined): CallContext['given'] {
  if (chosen?.given === undefined || chosen.request !== undefined) return undefined;
  const { given, raw } = chosen;
  return { field: given.kind === 'picture' ? 'picture' : 'tensor', name: given.name, raw };
}

function announcementOf(
  { view, summary }: Presentation | SkewPresentation,
  { content, cache }: ProcessResponse,
): string {
  return view === 'skew' ? summary : `${summary}, ${bytes(content.length)}, ${describeCache(cache)}.`;
}
