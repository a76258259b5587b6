import { byId, element } from '../page/element.ts';
import { value } from '../page/figures.ts';
import { type Planes, type Statistics, statisticsOf } from './tensor.ts';

const bins = 64;

/** Shows a tensor as its channels: each as a picture from its least value (black) to its greatest (white). */
export function showChannels(planes: Planes, names: readonly string[]): void {
  const readout = byId('readout', HTMLElement);
  const figures = planes.channels.map((channel, index) => {
    const name = names[index] ?? `${index}`;
    const statistics = statisticsOf(channel, bins);
    const canvas = drawChannel(channel, planes, statistics);
    canvas.addEventListener('pointermove', (event) => {
      const box = canvas.getBoundingClientRect();
      const x = Math.floor(((event.clientX - box.left) / box.width) * planes.width);
      const y = Math.floor(((event.clientY - box.top) / box.height) * planes.height);
      if (x < 0 || y < 0 || x >= planes.width || y >= planes.height) return;
      const values = planes.channels.map(
        (each, at) => `${names[at] ?? at} ${value(each[y * planes.width + x] ?? 0)}`,
      );
      readout.textContent = `x ${x}, y ${y}   ·   ${values.join('   ')}`;
    });
    return describeChannel(name, canvas, statistics);
  });
  byId('channels', HTMLElement).replaceChildren(...figures);
  readout.textContent = 'Point at a pixel to read its values.';
}

function describeChannel(name: string, canvas: HTMLCanvasElement, statistics: Statistics): HTMLElement {
  const { min, max, mean, std, notFinite } = statistics;
  const rows = [
    ['range', `${value(min)} … ${value(max)}`],
    ['mean', value(mean)],
    ['std', value(std)],
    ...(notFinite === 0 ? [] : [['not finite', String(notFinite)]]),
  ];
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `Channel ${name}, black is ${value(min)}, white is ${value(max)}`);
  return element(
    'figure',
    { class: 'channel', 'data-channel': name },
    element('figcaption', {}, `Channel ${name}`),
    canvas,
    drawHistogram(name, statistics),
    element(
      'dl',
      {},
      ...rows.map(([term = '', text = '']) =>
        element('div', {}, element('dt', {}, term), element('dd', {}, text)),
      ),
    ),
  );
}

function drawChannel(
  channel: Float32Array,
  { width, height }: Planes,
  { min, max }: Statistics,
): HTMLCanvasElement {
  const canvas = element('canvas', { width: String(width), height: String(height) });
  const context = canvas.getContext('2d');
  const image = new ImageData(width, height);
  const factor = max > min ? 255 / (max - min) : 0;
  for (let pixel = 0; pixel < channel.length; pixel++) {
    const level = Math.round(((channel[pixel] ?? 0) - min) * factor);
    image.data.set([level, level, level, 255], 4 * pixel);
  }
  context?.putImageData(image, 0, 0);
  return canvas;
}

function drawHistogram(name: string, { histogram, min, max }: Statistics): HTMLElement {
  const most = Math.max(1, ...histogram);
  const space = 'http://www.w3.org/2000/svg';
  const svg = document.createElementNS(space, 'svg');
  svg.setAttribute('viewBox', `0 0 ${histogram.length} 100`);
  svg.setAttribute('preserveAspectRatio', 'none');
  svg.setAttribute('role', 'img');
  svg.setAttribute(
    'aria-label',
    `Histogram of channel ${name} in ${histogram.length} bins, the fullest with ${most} values`,
  );
  const path = document.createElementNS(space, 'path');
  const steps = histogram.map((count) => `V${(100 - (100 * count) / most).toFixed(2)}h1`);
  path.setAttribute('d', `M0 100${steps.join('')}V100z`);
  svg.append(path);
  return element(
    'div',
    { class: 'histogram' },
    svg,
    element(
      'div',
      { class: 'axis', 'aria-hidden': 'true' },
      element('span', {}, value(min)),
      element('span', {}, value(max)),
    ),
  );
}
