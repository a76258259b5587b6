import { describe, expect, it } from 'vitest';
import { initialSettings, type Settings } from '../../../src/playground/form/settings.ts';
import { downloadName } from '../../../src/playground/response/download-name.ts';

const preset = { recipe: 'preset', preset: 'openai/clip-vit-base-patch32' } as const;
const box = { recipe: 'own', sizing: 'box', width: '224', height: '160' } as const;

describe(downloadName, () => {
  it.each<[Partial<Settings>, string, string, string]>([
    [preset, 'photo.jpeg', 'application/x-npy', 'photo.clip-vit-base-patch32.npy'],
    [preset, 'https://example.com/a/b%20c.png?x=1', 'image/png', 'b-c.clip-vit-base-patch32.png'],
    [box, 'Käse & Brot.webp', 'image/webp', 'Käse-Brot.224x160.webp'],
    [{ ...box, sizing: 'source' }, 'photo.jpg', 'image/jpeg', 'photo.jpg'],
    [
      { ...box, sizing: 'shortest_edge', shortest_edge: '256' },
      '../..',
      'application/octet-stream',
      'image.256.bin',
    ],
  ])('for %j of %s as %s is %s', (changes, source, contentType, expected) => {
    expect(downloadName({ ...initialSettings, ...changes }, source, contentType)).toBe(expected);
  });
});
