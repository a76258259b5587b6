import { heatColour } from '../compare/difference.ts';
import { byId, element } from '../page/element.ts';

/** Shows the scale of a map's colours, and figures below it. @param most - the largest difference, in words */
export function showLegend(most: string, rows: readonly (readonly string[])[]): void {
  const scale = element('div', { class: 'scale', 'aria-hidden': 'true' });
  const colours = Array.from({ length: 11 }, (_, step) => `rgb(${heatColour(step / 10).join(' ')})`);
  scale.style.background = `linear-gradient(to right, ${colours.join(', ')})`;
  byId('legend', HTMLElement).replaceChildren(
    element('div', { class: 'scale-row' }, element('span', {}, '0'), scale, element('span', {}, most)),
    element(
      'dl',
      {},
      ...rows.map(([term = '', text = '']) =>
        element('div', {}, element('dt', {}, term), element('dd', {}, text)),
      ),
    ),
  );
}
