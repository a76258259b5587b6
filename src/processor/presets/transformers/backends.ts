import { Failure } from '../../../failures.ts';
import type { CropOrigin } from '../../image/crop.ts';
import type { FilterName } from '../../image/kernels/weights.ts';
import type { TensorPlan } from '../../image/plan.ts';
import type { Resampling } from '../../image/views/view.ts';
import { invalid, readWholeNumber } from '../config-values.ts';
import type { PresetLibrary } from '../preset.ts';
import type { ConfigValues } from '../processor-types.ts';

/** The differences of one backend of transformers 5 from the other (image_processing_backends.py). */
export interface Backend {
  readonly library: 'pillow' | 'torch';
  /** By the numbers of PIL.Image.Resampling. Unset: the backend refuses it. */
  readonly filters: readonly (FilterName | undefined)[];
  /** The rule of `center_crop`. */
  readonly cropOrigin: CropOrigin;
  /** How values are rounded. @throws PRESET_INVALID for a factor with which it fails */
  arithmetic(given: Arithmetic): Pick<TensorPlan, 'rescaleFactor' | 'rounding'>;
}

interface Arithmetic {
  readonly rescales: boolean;
  readonly normalizes: boolean;
  /** 1 if it does not rescale. */
  readonly rescaleFactor: number;
}

/** PIL.Image.Resampling by number. */
const filterNames = ['nearest', 'lanczos', 'bilinear', 'bicubic', 'box', 'hamming'] as const;

const pilBackend: Backend = {
  library: 'pillow',
  filters: filterNames,
  cropOrigin: 'transformers',
  arithmetic: ({ rescaleFactor }) => ({ rescaleFactor }),
};

const torchvisionBackend: Backend = {
  library: 'torch',
  // pil_torch_interpolation_mapping of image_utils.py. tvF.resize has BOX and HAMMING for Pillow images only.
  filters: ['nearest-exact', 'lanczos', 'bilinear', 'bicubic', undefined, undefined],
  cropOrigin: 'transformers-torchvision',
  arithmetic({ rescales, normalizes, rescaleFactor }) {
    // torch multiplies an FP32 tensor by a number that it rounds to FP32.
    if (!rescales || !normalizes) return { rescaleFactor: Math.fround(rescaleFactor) };
    const inverse = Math.fround(1 / rescaleFactor);
    if (Number.isFinite(inverse) && inverse !== 0) return { rescaleFactor, rounding: 'fused' };
    throw invalid('rescale_factor', rescaleFactor, 'a factor by which FP32 can divide');
  },
};

/** The backend that computes with a library. */
export function backendOf(library: PresetLibrary): Backend {
  return library === 'torch' ? torchvisionBackend : pilBackend;
}

/**
 * Reads `resample`, or another key for a filter.
 *
 * @throws PRESET_INVALID; NUMERICS_UNSUPPORTED for a filter that the backend lacks
 */
export function readResampling(
  config: ConfigValues,
  { filters, library }: Backend,
  key = 'resample',
): Resampling {
  const number = readWholeNumber(config, key, 0, filterNames.length - 1);
  const filter = filters[number];
  if (filter !== undefined) return library === 'pillow' ? { filter } : { filter, library };
  const name = filterNames[number] ?? '';
  throw new Failure(
    'NUMERICS_UNSUPPORTED',
    `The preprocessor config's ${key} is ${number} (${name}), a filter that torch does not have, so transformers' torchvision backend refuses it; ask for numerics=pillow.`,
    { numerics: library, filter: name, allowed: 'pillow' },
  );
}
