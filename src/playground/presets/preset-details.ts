import type { GetPresetResponse } from '../../../gen/image/v1/processor_pb.ts';
import { byId, element } from '../page/element.ts';
import { callGetPreset } from '../service/call.ts';
import { callProblem } from '../service/problem.ts';
import { modelPage } from './model-page.ts';

/** From the last change to the call, in milliseconds. */
const pauseMs = 100;

let asked = new AbortController();

/** Shows what a preset does, with links to its model. @param onDetails - called with the service's description */
export function showPresetDetails(name: string, onDetails: (details: GetPresetResponse) => void): void {
  asked.abort();
  asked = new AbortController();
  const { signal } = asked;
  setTimeout(async () => {
    if (signal.aborted) return;
    try {
      const details = await callGetPreset(name, signal);
      if (signal.aborted) return;
      fill(details);
      onDetails(details);
    } catch (error) {
      const problem = callProblem(error, signal);
      if (problem !== undefined) fill(undefined);
    }
  }, pauseMs);
}

function fill(details: GetPresetResponse | undefined): void {
  const { name = '', family = '' } = details?.preset ?? {};
  const page = modelPage(name, family);
  byId('preset-summary', HTMLElement).replaceChildren(
    family,
    ...(page === undefined
      ? []
      : [' · ', element('a', { href: page, target: '_blank', rel: 'noreferrer' }, 'Model page')]),
  );
  const steps = (details?.steps ?? []).map((step) => element('li', {}, step));
  byId('preset-steps', HTMLOListElement).replaceChildren(...steps);
  byId('preset-about', HTMLElement).hidden = details === undefined;
  byId('preset-python', HTMLElement).textContent = details?.python ?? '';
}
