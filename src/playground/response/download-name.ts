import type { Settings } from '../form/settings.ts';

/** The longest part of a name that comes from a file or a preset, in characters. */
const maxPart = 80;

/**
 * The name under which a response is saved: that of its source, then that of the preset or the size, as in
 * `photo.clip-vit-base-patch32.npy`.
 *
 * @param source - a file's name or a URL
 * @param contentType - of the response
 */
export function downloadName(settings: Settings, source: string, contentType: string): string {
  const file =
    URL.parse(source)
      ?.pathname.split('/')
      .findLast((part) => part !== '') ?? source;
  const stem = plain(decoded(file).replace(/\.\w{1,5}$/, '')) || 'image';
  return [stem, treatment(settings), ending(contentType)].filter((part) => part !== '').join('.');
}

function treatment({ recipe, preset, sizing, width, height, shortest_edge }: Settings): string {
  if (recipe === 'config') return 'config';
  if (recipe === 'preset') return plain(preset.split('/').at(-1) ?? '');
  const sizes = { box: `${width}x${height}`, shortest_edge, source: '' };
  return plain(sizes[sizing]);
}

/** Without the characters that file systems or shells give a meaning. */
function plain(text: string): string {
  return text
    .replace(/[^\p{L}\p{N}._-]+/gu, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, maxPart);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

const endings: Readonly<Record<string, string>> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'image/webp': 'webp',
  'application/x-npy': 'npy',
  'application/x-npz': 'npz',
  'application/vnd.safetensors': 'safetensors',
  'application/json': 'json',
};

function ending(contentType: string): string {
  return endings[contentType] ?? 'bin';
}
