import { toLuma } from '../../image/grayscale.ts';
import type { Finish, Levels } from './hypothesis.ts';

/** Changes of the framed picture. @param channels - of the given tensor */
export function finishesOf(channels: number): readonly Finish[] {
  if (channels === 1)
    return [{ id: 'luma', words: { grayscale: 'Rec. 601, as Pillow rounds it' }, apply: lumaOf }];
  return [{ id: 'none', words: {}, apply: (picture) => picture }];
}

function lumaOf(picture: Levels): Levels {
  const { data } = picture;
  if (!(data instanceof Uint8Array)) return picture;
  return { ...toLuma({ ...picture, data }), channels: 1 };
}
