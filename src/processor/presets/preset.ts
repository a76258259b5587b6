import type { Library } from '../image/kernels/kernels.ts';
import type { PresetPlan } from './preset-plan.ts';

/**
 * The families of presets: the libraries whose preprocessing is computed. `isOnHub` says whether the names of a family
 * are ids of models on the Hugging Face hub.
 */
export const families = {
  transformers: { isOnHub: true },
  timm: { isOnHub: true },
  open_clip: { isOnHub: true },
  torchvision: { isOnHub: false },
  ultralytics: { isOnHub: false },
  paddleocr: { isOnHub: false },
  keras: { isOnHub: false },
} as const;

export type Family = keyof typeof families;

/** The libraries whose pixels a preset can have. */
export type PresetLibrary = 'pillow' | Library;

/** The settings of a request that a preset's plan depends on: image.v1.PresetSettings. */
export interface PresetSettings {
  /** The size of the network's input, in pixels. */
  readonly imgsz?: { readonly height: number; readonly width: number } | undefined;
  /** A number that divides both sides of the network's input, in pixels. */
  readonly stride?: number | undefined;
  /** Whether the input is no larger than the stride requires. */
  readonly rect?: boolean | undefined;
}

export type SettingName = keyof PresetSettings;

/** A model's own preprocessing, by name. */
export interface Preset {
  /** As its library, or the hub, writes it. */
  readonly name: string;
  /** Other names that mean this preset. Those without an organization come from preset-names.ts. */
  readonly aliases: readonly string[];
  readonly family: Family;
  /** Those that can compute it. The first is meant by `numerics=exact`. */
  readonly libraries: readonly [PresetLibrary, ...PresetLibrary[]];
  /** The settings that it has; the rules refuse the others. Unset: none. */
  readonly settings?: readonly SettingName[];
  /**
   * Makes the plan on its first use, so that a long catalogue costs nothing at start-up. Equal arguments give equal plans.
   *
   * @throws OPTION_INVALID for values of settings that this preset does not have
   */
  plan(library: PresetLibrary, settings: PresetSettings): PresetPlan;
  /** Lines of Python that make the same tensors of `photo.jpg` with the preset's own library. */
  python(): string;
}
