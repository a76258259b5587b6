import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import { byId, element } from '../page/element.ts';
import { blobOf } from '../source/source.ts';
import { decodeBitmap } from './bitmap.ts';

/** The pixels of one preset. */
export interface GalleryPicture {
  readonly name: string;
  readonly canRemove: boolean;
  readonly canvas: HTMLCanvasElement;
  readonly width: number;
  readonly height: number;
}

/** Decodes the response of a preset. */
export async function pictureOf(
  name: string,
  canRemove: boolean,
  response: ProcessResponse,
): Promise<GalleryPicture> {
  const { canvas } = await decodeBitmap(blobOf(response));
  return { name, canRemove, canvas, width: response.width, height: response.height };
}

/** Shows the pixels of several presets side by side. @param onRemove - called with the name of a preset */
export function showGallery(pictures: readonly GalleryPicture[], onRemove: (name: string) => void): void {
  const figures = pictures.map(({ name, canRemove, canvas, width, height }) => {
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', `Pixels of ${name}`);
    const remove = element('button', { type: 'button', class: 'quiet', 'aria-label': `Remove ${name}` }, '×');
    remove.addEventListener('click', () => onRemove(name));
    return element(
      'figure',
      { class: 'preset-picture' },
      element(
        'figcaption',
        {},
        element('span', {}, element('b', {}, name), element('small', {}, `${width} × ${height}`)),
        ...(canRemove ? [remove] : []),
      ),
      canvas,
    );
  });
  byId('gallery', HTMLElement).replaceChildren(...figures);
}
