import type { ProcessRequest } from '../../gen/image/v1/processor_pb.ts';
import { bitmapOf, decodeBitmap } from './bitmap.ts';
import { callProcess } from './call.ts';
import { type Difference, differenceOf, heatColour } from './difference.ts';
import { byId, element } from './element.ts';
import { percentage } from './figures.ts';
import { requestOf } from './request.ts';
import type { Scene } from './scene.ts';
import { asPng, type Settings } from './settings.ts';
import { blobOf } from './source.ts';

/**
 * The difference of exact numerics and others with these settings: both are requested as PNG and compared here. The others
 * are torch's or OpenCV's where the settings name them, else fast.
 *
 * @throws ConnectError, Failure OPTION_INVALID
 */
export async function compareNumerics(
  settings: Settings,
  source: ProcessRequest['source'],
  signal: AbortSignal,
): Promise<{ scene: Scene; difference: Difference; others: string }> {
  const others = otherNumerics(settings);
  const [exact, other] = await Promise.all(
    (['exact', others] as const).map(async (numerics) => {
      const request = { ...requestOf(asPng(settings, numerics)), source };
      return decodeBitmap(blobOf(await callProcess(request, signal)));
    }),
  );
  if (exact === undefined || other === undefined) throw new Error('A response is missing.');
  const difference = differenceOf(exact.pixels, other.pixels);
  const { width, height } = exact;
  const map = new Uint8ClampedArray(4 * width * height);
  const scale = Math.max(1, difference.max);
  const colours = Array.from({ length: 256 }, (_, level) => heatColour(level / scale));
  for (const [pixel, level] of difference.perPixel.entries()) {
    map.set([...(colours[level] ?? [0, 0, 0]), 255], 4 * pixel);
  }
  const placement = { x: 0, y: 0, width, height };
  const scene: Scene = {
    width,
    height,
    mode: 'slider',
    left: { label: 'Exact', bitmap: exact, placement },
    right: {
      label: 'Difference',
      bitmap: bitmapOf(map, width, height),
      placement,
      describe(x, y) {
        const at = y * width + x;
        const [red = 0, green = 0, blue = 0] = other.pixels.subarray(4 * at, 4 * at + 3);
        const values = red === green && green === blue ? `${red}` : `${red} ${green} ${blue}`;
        return `${difference.perPixel[at]} (${others} ${values})`;
      },
    },
  };
  return { scene, difference, others };
}

/** The numerics that exact is compared with. */
export function otherNumerics({ numerics }: Settings): 'torch' | 'opencv' | 'fast' {
  return numerics === 'torch' || numerics === 'opencv' ? numerics : 'fast';
}

/** Shows the figures of a difference with the scale of its colours. */
export function showLegend({ max, mean, shareDifferent, shareOverOne }: Difference): void {
  const figures = [
    ['Largest', `${max} ${max === 1 ? 'level' : 'levels'}`],
    ['Mean', `${mean.toFixed(3)} levels`],
    ['Differ', percentage(shareDifferent)],
    ['By more than 1 level', percentage(shareOverOne)],
  ];
  const scale = element('div', { class: 'scale', 'aria-hidden': 'true' });
  const colours = Array.from({ length: 11 }, (_, step) => `rgb(${heatColour(step / 10).join(' ')})`);
  scale.style.background = `linear-gradient(to right, ${colours.join(', ')})`;
  byId('legend', HTMLElement).replaceChildren(
    element(
      'div',
      { class: 'scale-row' },
      element('span', {}, '0'),
      scale,
      element('span', {}, `${Math.max(1, max)} levels`),
    ),
    element(
      'dl',
      {},
      ...figures.map(([term = '', text = '']) =>
        element('div', {}, element('dt', {}, term), element('dd', {}, text)),
      ),
    ),
  );
}
