import type { ImageHeader } from '../../src/processor/codecs/header.ts';
import type { CropStep } from '../../src/processor/image/crop.ts';
import { geometryOf, type PlannedImage } from '../../src/processor/image/geometry.ts';
import type { Colour } from '../../src/processor/image/pixels.ts';
import type { Plan, TensorPlan } from '../../src/processor/image/plan.ts';
import type { ResizeStep } from '../../src/processor/image/resize.ts';
import type { Step } from '../../src/processor/image/steps.ts';

type OmitKind<S> = S extends unknown ? Omit<S, 'kind'> : never;

/** A resize, or one with bars around it. */
export type ResizeOptions =
  | OmitKind<ResizeStep>
  | (Omit<ResizeStep, 'kind' | 'fit'> & {
      readonly fit: 'contain';
      readonly width: number;
      readonly height: number;
    });

/** How a resize meets width × height. */
export type Fit = 'fill' | 'cover' | 'contain' | 'inside' | 'outside';

/** A plan as most tests describe it: at most a resize, then a crop, then a grayscale. */
export interface PlanOptions {
  readonly resize?: ResizeOptions | undefined;
  readonly crop?: Omit<CropStep, 'kind'> | undefined;
  readonly grayscale?: boolean;
  readonly numerics?: Plan['numerics'];
  readonly background?: Colour | undefined;
  readonly dropsAlpha?: boolean;
  readonly output?: Plan['output'];
}

/** The plan of options. Default: an image in the source's format with exact numerics. */
export function planFrom(options: PlanOptions = {}): Plan {
  const { resize, crop, grayscale, numerics = 'pillow', background, dropsAlpha } = options;
  return {
    numerics,
    alpha: background ?? (dropsAlpha ? 'dropped' : 'kept'),
    steps: [
      ...(resize === undefined ? [] : resizeSteps(resize, background)),
      ...(crop === undefined ? [] : [{ kind: 'crop', ...crop } as const]),
      ...(grayscale ? [{ kind: 'grayscale' } as const] : []),
    ],
    output: options.output ?? { kind: 'image', format: undefined, quality: undefined },
  };
}

function resizeSteps(resize: ResizeOptions, colour: Colour | undefined): readonly Step[] {
  if (resize.fit !== 'contain') return [{ kind: 'resize', ...resize }];
  const { width, height, filter } = resize;
  return [
    { kind: 'resize', fit: 'inside', width, height, filter },
    { kind: 'pad', width, height, colour },
  ];
}

/** A plan with its geometry for an image. */
export function plannedImage(header: ImageHeader, plan: Plan): PlannedImage {
  return { plan, geometry: geometryOf(header, plan) };
}

/** The pixels' own values: a raw tensor of FP32. */
export const floatTensor: TensorPlan = {
  kind: 'tensor',
  name: 'image',
  datatype: 'FP32',
  layout: 'NCHW',
  rescaleFactor: 1,
  mean: [0],
  std: [1],
  channelOrder: 'RGB',
  container: 'raw',
};

/** The luma of the source's pixels: a raw tensor [1, 1, height, width] of UINT8. */
export const grayTensor = planFrom({
  grayscale: true,
  output: { ...floatTensor, datatype: 'UINT8' },
});
