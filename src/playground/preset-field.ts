import type { GetPresetResponse } from '../../gen/image/v1/processor_pb.ts';
import { callGetPreset, callListPresets, callProblem } from './call.ts';
import { byId, element } from './element.ts';

/** From the last keystroke to the call, in milliseconds. */
const typingPauseMs = 200;

let typed = new AbortController();

/** Fills the list of the field for presets with those that contain its words, and shows what the named one does. */
export function showPreset(name: string): void {
  typed.abort();
  typed = new AbortController();
  const { signal } = typed;
  setTimeout(() => {
    if (signal.aborted) return;
    void listPresets(name, signal);
    void describePreset(name, signal);
  }, typingPauseMs);
}

async function listPresets(words: string, signal: AbortSignal): Promise<void> {
  try {
    const presets = await callListPresets(words, signal);
    const options = presets.map(({ name, family }) => element('option', { value: name }, family));
    byId('presets', HTMLDataListElement).replaceChildren(...options);
  } catch {
    // describePreset reports what is wrong.
  }
}

async function describePreset(name: string, signal: AbortSignal): Promise<void> {
  try {
    const details = await callGetPreset(name, signal);
    if (signal.aborted) return;
    fill(`${details.preset?.name} · ${details.preset?.family}`, details);
  } catch (error) {
    const problem = callProblem(error, signal);
    if (problem !== undefined) fill(problem.message, undefined);
  }
}

function fill(summary: string, details: GetPresetResponse | undefined): void {
  byId('preset-summary', HTMLElement).textContent = summary;
  const steps = (details?.steps ?? []).map((step) => element('li', {}, step));
  byId('preset-steps', HTMLOListElement).replaceChildren(...steps);
  byId('preset-code', HTMLDetailsElement).hidden = details === undefined;
  byId('preset-python', HTMLElement).textContent = details?.python ?? '';
}
