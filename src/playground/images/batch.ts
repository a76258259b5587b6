import type { ProcessRequest, ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import { callProcess } from '../service/call.ts';
import { callProblem, type Problem } from '../service/problem.ts';
import { type Pause, withRetries } from '../service/retries.ts';
import type { Progress } from '../service/upload.ts';
import { withPassword } from '../source/password.ts';
import type { ImageSource } from '../source/source.ts';
import { checkLength } from '../source/upload-limit.ts';

/** The state of the call for one image. */
export type ItemState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'working'; readonly progress: Progress }
  | ({ readonly kind: 'paused' } & Pause)
  | { readonly kind: 'done'; readonly response: ProcessResponse }
  | { readonly kind: 'failed'; readonly problem: Problem }
  | { readonly kind: 'cancelled' };

/** Calls at once besides that of the selected image: browsers open six connections to one host over HTTP/1.1. */
const concurrency = 3;

/** The calls of one task: equal requests for several images. */
interface Task {
  readonly key: string;
  readonly request: ProcessRequest;
  readonly stop: AbortController;
  workers: number;
}

/**
 * The calls for the images that are not shown. That of the selected image is the page's own, which notes its state here.
 *
 * @param maxBytes - the longest image that the service takes; longer files are not sent
 * @param onChange - called whenever the state of an image changes
 */
export function createBatch(
  maxBytes: number | undefined,
  onChange: (source: ImageSource, state: ItemState) => void,
) {
  let states = new Map<ImageSource, ItemState>();
  let task: Task | undefined;
  let selected: ImageSource | undefined;

  function note(source: ImageSource, state: ItemState): void {
    if (!states.has(source)) return;
    states.set(source, state);
    onChange(source, state);
  }

  /** Takes waiting images one after the other. */
  async function work(of: Task): Promise<void> {
    of.workers++;
    for (;;) {
      const next = [...states].find(([source, { kind }]) => kind === 'waiting' && source !== selected);
      if (of.stop.signal.aborted || next === undefined) break;
      const [source] = next;
      note(source, { kind: 'working', progress: { phase: 'processing' } });
      const end = await outcomeOf(source, of);
      if (!of.stop.signal.aborted) note(source, end);
    }
    of.workers--;
  }

  async function outcomeOf(source: ImageSource, { request, stop: { signal } }: Task): Promise<ItemState> {
    const report = (state: ItemState) => {
      if (!signal.aborted) note(source, state);
    };
    try {
      if (source.file !== undefined) checkLength(source.file, maxBytes);
      const message = { ...withPassword(request, source.password), source: await source.message() };
      const call = () => callProcess(message, signal, (progress) => report({ kind: 'working', progress }));
      const response = await withRetries(call, signal, (pause) => report({ kind: 'paused', ...pause }));
      return { kind: 'done', response };
    } catch (error) {
      const problem = callProblem(error, signal);
      return problem === undefined ? { kind: 'cancelled' } : { kind: 'failed', problem };
    }
  }

  return {
    note,
    /**
     * Processes images. States of the same task are kept; calls of another one are cancelled.
     *
     * @param key - equal for equal requests
     * @param shown - the image whose call the page makes
     */
    start(sources: readonly ImageSource[], request: ProcessRequest, key: string, shown: ImageSource): void {
      if (task?.key !== key) {
        task?.stop.abort();
        task = { key, request, stop: new AbortController(), workers: 0 };
        states.clear();
      }
      selected = shown;
      states = new Map(sources.map((source) => [source, states.get(source) ?? { kind: 'waiting' }]));
      for (const [source, state] of states) onChange(source, state);
      // A worker that finds no image to take has ended when its call returns.
      for (let free = concurrency - task.workers; free > 0; free--) void work(task);
    },
    /** Cancels the calls that are not finished. */
    cancel(): void {
      task?.stop.abort();
      task = undefined;
      for (const [source, { kind }] of states) {
        if (kind !== 'done' && kind !== 'failed') note(source, { kind: 'cancelled' });
      }
    },
    /** The responses so far, in the order of the images. */
    responses(): readonly (readonly [ImageSource, ProcessResponse])[] {
      return [...states].flatMap(([source, state]) =>
        state.kind === 'done' ? [[source, state.response] as const] : [],
      );
    },
  };
}
