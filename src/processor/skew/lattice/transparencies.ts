import type { Transparency } from './hypothesis.ts';

/** The treatments of transparency. @param hasAlpha - of the source */
export function transparenciesOf(hasAlpha: boolean): readonly Transparency[] {
  if (!hasAlpha) return [{ id: 'drop', words: {}, alpha: 'dropped' }];
  return [
    { id: 'drop', words: { alpha: 'drop' }, alpha: 'dropped' },
    { id: 'white', words: { alpha: 'white' }, alpha: [255, 255, 255] },
    { id: 'black', words: { alpha: 'black' }, alpha: [0, 0, 0] },
  ];
}
