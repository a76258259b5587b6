/** The part of a preset that the page knows before it asks the service; only for presets that come with the service. */
export interface Preset {
  readonly resize?:
    | { readonly width: number; readonly height: number }
    | { readonly shortestEdge: number; readonly longestEdge?: number }
    | { readonly maxWidth: number; readonly maxHeight: number }
    | { readonly byRule: true };
  /** From the centre. `rounds` is the rule for an odd difference; unset: down. */
  readonly crop?: { readonly width: number; readonly height: number; readonly rounds?: 'half to even' };
  /** Whether it is only a resize, or a resize and a crop, so that other libraries can be given the same task. */
  readonly isPlain?: true;
  /** Whether it makes several pictures of an image, so that its pixels are no single image. */
  readonly makesPictures?: true;
  /** The settings that it has. */
  readonly settings?: readonly string[];
}

/** Presets with equal geometry: it is written once for all their names. */
export interface PresetGroup extends Preset {
  readonly names: readonly string[];
}

/** Written into the bundle by build.ts, from the processor's own list. */
declare const shippedPresets: readonly PresetGroup[];

const byName = new Map(
  shippedPresets.flatMap((group) => group.names.map((name) => [name.toLowerCase(), group] as const)),
);

/** The preset of a name or an alias; undefined for those that PRESETS_DIR has added. */
export function findPreset(name: string): Preset | undefined {
  return byName.get(name.trim().toLowerCase());
}
