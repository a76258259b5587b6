import type { Preset } from '../../../gen/image/v1/processor_pb.ts';

/** Presets of one family that contain some words. */
export interface PresetFamily {
  readonly family: string;
  /** At most as many as were asked for. */
  readonly names: readonly string[];
  /** All that contain the words. */
  readonly total: number;
}

/**
 * The presets that contain each of some words in their names, aliases or family, by family.
 *
 * @param limit - of the names of a family
 */
export function searchPresets(
  presets: readonly Pick<Preset, 'name' | 'aliases' | 'family'>[],
  text: string,
  limit: number,
): readonly PresetFamily[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = presets.filter(({ name, aliases, family }) => {
    const all = [name, ...aliases, family].join(' ').toLowerCase();
    return words.every((word) => all.includes(word));
  });
  const families = Map.groupBy(found, ({ family }) => family);
  return [...families]
    .map(([family, members]) => ({
      family,
      names: members.slice(0, limit).map(({ name }) => name),
      total: members.length,
    }))
    .toSorted((a, b) => placeOf(a.family) - placeOf(b.family));
}

/** The families that most visitors look for come first. */
const order = ['transformers', 'torchvision', 'timm', 'open_clip', 'ultralytics', 'keras', 'paddleocr'];

function placeOf(family: string): number {
  return order.includes(family) ? order.indexOf(family) : -1;
}
