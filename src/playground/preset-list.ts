/** The geometry of a preset that comes with the service, for display. */
export interface Preset {
  readonly resize?:
    | { readonly width: number; readonly height: number }
    | { readonly shortestEdge: number; readonly longestEdge?: number }
    | { readonly maxWidth: number; readonly maxHeight: number }
    | { readonly byRule: true };
  readonly crop?: { readonly width: number; readonly height: number };
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
