import { type ProcessorType, processorTypes } from '../processor-types.ts';
import { classificationTypes } from './classification-types.ts';
import { depthTypes } from './depth-types.ts';
import { detectionTypes } from './detection-types.ts';
import { documentTypes } from './document-types.ts';
import { languageTypes } from './language-types.ts';
import library from './library-types.json' with { type: 'json' };
import { patchTypes } from './patch-types.ts';
import { segmentationTypes } from './segmentation-types.ts';
import { tileTypes } from './tile-types.ts';

/** The image processors that are computed here, by the name of their class. A new table is a file in this folder. */
export const computedTypes: ReadonlyMap<string, ProcessorType> = new Map(
  [
    processorTypes,
    classificationTypes,
    depthTypes,
    detectionTypes,
    documentTypes,
    languageTypes,
    patchTypes,
    segmentationTypes,
    tileTypes,
  ].flatMap((types) => Object.entries(types)),
);

/** Unset: it is not computed. */
export function computedType(name: string): ProcessorType | undefined {
  return computedTypes.get(name);
}

const backends = new Map(Object.entries(library.types));

/** The libraries of a class's backends that are computed. The first is that of AutoImageProcessor's choice. */
export function backendsOf(name: string): readonly ('torch' | 'pillow')[] {
  if (computedTypes.get(name)?.isTorchOnly) return ['torch'];
  return (backends.get(name) ?? []) as readonly ('torch' | 'pillow')[];
}
