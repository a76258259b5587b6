/** The description of a preset that comes with the service. */
export interface Preset {
  readonly name: string;
  readonly resize?:
    | { readonly width: number; readonly height: number }
    | { readonly shortestEdge: number; readonly longestEdge?: number }
    | { readonly maxWidth: number; readonly maxHeight: number }
    | { readonly byRule: true };
  readonly crop?: { readonly width: number; readonly height: number };
  readonly filter?: string;
  readonly mean: readonly number[];
  readonly std: readonly number[];
  readonly rescale: number;
}

/** Written into the bundle by build.ts, from the processor's own list. */
declare const shippedPresets: readonly Preset[];

/** The presets that come with the service, by name. PRESETS_DIR may have added others. */
export const presets = shippedPresets;

/** The preset of a name, as the service finds it: upper and lower case are the same, `_Weights` may be left out. */
export function findPreset(name: string): Preset | undefined {
  const key = keyOf(name);
  return presets.find((preset) => keyOf(preset.name) === key);
}

function keyOf(name: string): string {
  return name.trim().toLowerCase().replace('_weights.', '.');
}

/** A preset in one line: its steps in their order. */
export function describePreset({ resize, crop, filter, mean, std }: Preset): string {
  return [
    ...(resize === undefined ? [] : [`${describeResize(resize)}, ${filter}`]),
    ...(crop === undefined ? [] : [`center crop ${crop.width} × ${crop.height}`]),
    `mean ${mean.map(short).join(' ')}`,
    `std ${std.map(short).join(' ')}`,
  ].join(' → ');
}

function describeResize(resize: NonNullable<Preset['resize']>): string {
  if ('width' in resize) return `resize to ${resize.width} × ${resize.height}`;
  if ('maxWidth' in resize) return `resize within ${resize.maxWidth} × ${resize.maxHeight}`;
  if ('byRule' in resize) return "resize by the model's own rule";
  const limit = resize.longestEdge === undefined ? '' : `, longer at most ${resize.longestEdge}`;
  return `shorter side to ${resize.shortestEdge}${limit}`;
}

function short(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}
