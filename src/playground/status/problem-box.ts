import { byId, element } from '../page/element.ts';
import { type Problem, remedies } from '../service/problem.ts';

/**
 * The box that reports a problem; undefined empties it.
 *
 * @param usePreset - called with the name of a preset that the box offers
 */
export function fillProblemBox(problem: Problem | undefined, usePreset: (name: string) => void): void {
  const box = byId('problem', HTMLElement);
  box.hidden = problem === undefined;
  if (problem === undefined) {
    box.replaceChildren();
    return;
  }
  const { reason, title, message, metadata } = problem;
  const remedy = remedies[reason];
  const nearest = (metadata.nearest ?? '').split(', ').filter((name) => name !== '');
  const offers = nearest.map((name) => {
    const button = element('button', { type: 'button' }, `Use ${name}`);
    button.addEventListener('click', () => usePreset(name));
    return button;
  });
  box.replaceChildren(
    element('p', { class: 'problem-title' }, element('strong', {}, title), ' ', element('code', {}, reason)),
    element('p', {}, message),
    ...(remedy === undefined ? [] : [element('p', {}, remedy)]),
    ...(offers.length === 0 ? [] : [element('p', {}, ...offers)]),
  );
}
