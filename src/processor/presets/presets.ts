import { kerasPresets } from './keras-presets.ts';
import { openClipPresets } from './open-clip-presets.ts';
import { paddleOcrPresets } from './paddleocr-presets.ts';
import type { Preset } from './preset.ts';
import { createPresetNames, keyOf, type PresetNames } from './preset-names.ts';
import { readPresets } from './presets-directory.ts';
import { shippedPresets } from './shipped-presets.ts';
import { timmPresets } from './timm-presets.ts';
import { torchvisionPresets } from './torchvision-presets.ts';
import { ultralyticsPresets } from './ultralytics-presets.ts';

/** The presets that a request may name. */
export interface Presets extends PresetNames {
  /** All presets, in the order of their names. */
  readonly all: readonly Preset[];
}

/** The presets that come with the service. A family adds its own here. */
export const ownPresets: readonly Preset[] = [
  ...shippedPresets,
  ...timmPresets,
  ...openClipPresets,
  ...torchvisionPresets,
  ...ultralyticsPresets,
  ...paddleOcrPresets,
  ...kerasPresets,
];

/**
 * The presets that come with the service and those of a directory, which replace presets of equal names.
 *
 * @param directory - read once, now; see presets-directory.ts
 * @throws EnvironmentError with a line for every file of the directory that is not a supported preset
 */
export function createPresets({ directory }: { directory?: string | undefined }): Presets {
  const added = directory === undefined ? [] : readPresets(directory);
  const byName = new Map([...ownPresets, ...added].map((preset) => [keyOf(preset.name), preset]));
  const inOrder = new Map([...byName.values()].map((preset) => [orderOf(preset), preset]));
  const all = [...inOrder].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, preset]) => preset);
  // Last, so that no alias takes the name of a preset of the directory.
  return { all, ...createPresetNames([...all.filter((preset) => !added.includes(preset)), ...added]) };
}

/** The key by which presets are sorted. */
export function orderOf({ name }: Preset): string {
  return name.toLowerCase();
}
