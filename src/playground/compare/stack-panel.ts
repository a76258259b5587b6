import type { Settings } from '../form/settings.ts';
import { byId, element } from '../page/element.ts';
import { percentage, roundPercentage } from '../page/figures.ts';
import { type State, selectedSource } from '../state/state.ts';
import { showLegend } from '../view/legend.ts';
import type { Comparison } from './comparison.ts';
import { type RivalName, rivalNames, rivals } from './rival-names.ts';

/** The panel of the view "Your stack": what is compared, and the result in words. */
export function createStackPanel(onChoose: (rival: RivalName) => void) {
  const figures = new Map<RivalName, HTMLElement>();
  const choices = new Map<RivalName, HTMLInputElement>();
  /** The image and the settings of the figures. */
  let comparedTask = '';
  for (const name of rivalNames) {
    const input = element('input', { type: 'radio', name: 'rival', value: name });
    const figure = element('small', {}, ' ');
    input.addEventListener('change', () => onChoose(name));
    figures.set(name, figure);
    choices.set(name, input);
    const text = element('span', {}, element('b', {}, rivals[name].label), figure);
    byId('rivals', HTMLElement).append(element('label', {}, input, text));
  }

  return {
    /** Empties the figures if they belong to another image or other settings. */
    keepFiguresOf(state: State): void {
      const task = JSON.stringify([selectedSource(state), state.settings]);
      if (task !== comparedTask) for (const figure of figures.values()) figure.textContent = ' ';
      comparedTask = task;
    },
    /** @param possible - the others are disabled */
    choose(rival: RivalName, possible: readonly RivalName[]): void {
      for (const [name, input] of choices) {
        input.checked = name === rival;
        input.disabled = !possible.includes(name);
      }
    },
    /** Writes the figure of a comparison on its button. */
    note({ rival, difference }: Comparison): void {
      const figure = figures.get(rival);
      if (figure !== undefined) figure.textContent = `${roundPercentage(difference.shareDifferent)} differ`;
    },
    /** Shows a comparison in words and figures. */
    show(comparison: Comparison, settings: Settings): void {
      const { rival, resized, difference } = comparison;
      byId('verdict', HTMLElement).replaceChildren(
        ...verdictOf(comparison, settings),
        element('small', {}, ' This service returns them: 0 differ.'),
      );
      byId('rival-call', HTMLElement).textContent = rivals[rival].call(resized.width, resized.height);
      byId('rival-about', HTMLElement).textContent = rivals[rival].about;
      showFigures(difference);
    },
  };
}

/** The comparison as one sentence. */
export function verdictInWords(comparison: Comparison, settings: Settings): string {
  return verdictOf(comparison, settings)
    .map((part) => (typeof part === 'string' ? part : part.textContent))
    .join('');
}

function verdictOf({ rival, difference }: Comparison, settings: Settings): (string | HTMLElement)[] {
  const { subject } = rivals[rival];
  const { max, shareDifferent } = difference;
  const pixels = settings.recipe === 'own' ? 'the exact pixels' : 'the training pixels';
  if (max === 0) return [`${subject} gives ${pixels}: no value differs.`];
  const levels = max === 1 ? '1 level' : `${max} levels`;
  return [
    `${subject} differs from ${pixels} in `,
    element('strong', {}, roundPercentage(shareDifferent)),
    ' of the values, by up to ',
    element('strong', {}, levels),
    '.',
  ];
}

/** Shows the figures of a difference with the scale of its colours. */
function showFigures({ max, mean, shareDifferent, shareOverOne }: Comparison['difference']): void {
  const rows = [
    ['Largest', `${max} ${max === 1 ? 'level' : 'levels'}`],
    ['Mean', `${mean.toFixed(3)} levels`],
    ['Differ', percentage(shareDifferent)],
    ['By more than 1 level', percentage(shareOverOne)],
  ];
  showLegend(`${Math.max(1, max)} levels`, rows);
}
