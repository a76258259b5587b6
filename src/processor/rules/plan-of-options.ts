import type { CenterCrop, ProcessRequest, Resize } from '../../../gen/image/v1/processor_pb.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { CropStep } from '../image/crop.ts';
import type { Library } from '../image/kernels/kernels.ts';
import type { Colour } from '../image/pixels.ts';
import type { Plan } from '../image/plan.ts';
import type { Step } from '../image/steps.ts';
import { alphaAndOrientation } from './alpha-plan.ts';
import { enumName, filterNames, fitNames, numericsNames } from './enum-names.ts';
import { checkRequestedSide, checkRequestedSize } from './limits.ts';
import { imagePlan, tensorPlan } from './output-plan.ts';
import { sourcePlan } from './source-plan.ts';

/**
 * The plan of a request without a preset: its options, with the defaults for those that are unset.
 *
 * @throws OPTION_INVALID, OUTPUT_PIXELS_OVER_LIMIT
 */
export function planOfOptions(request: ProcessRequest, maxOutputPixels: number): Plan {
  const { resize, crop, grayscale } = request;
  const background = backgroundColour(request.background);
  const named = enumName('numerics', request.numerics, numericsNames);
  const numerics = named === 'exact' ? 'pillow' : named;
  const library = numerics === 'torch' || numerics === 'opencv' ? { library: numerics } : {};
  return {
    source: sourcePlan(request.sourceOptions),
    numerics,
    ...alphaAndOrientation(request, background ?? 'kept'),
    steps: [
      ...(resize === undefined ? [] : resizeSteps(resize, library, background, maxOutputPixels)),
      ...(crop === undefined ? [] : [cropStep(crop, maxOutputPixels)]),
      ...(grayscale ? [{ kind: 'grayscale', ...library } as const] : []),
    ],
    output:
      request.output.case === 'tensor'
        ? tensorPlan(request.output.value, request.grayscale ? 1 : 3)
        : imagePlan(request.output.value),
  };
}

/** @param background - of the bars of FIT_CONTAIN */
function resizeSteps(
  { width, height, shortestEdge, ...resize }: Resize,
  library: { readonly library?: Library },
  background: Colour | undefined,
  maxOutputPixels: number,
): readonly Step[] {
  const filter = enumName('filter', resize.filter, filterNames);
  const fit = enumName('fit', resize.fit, fitNames);
  const step = { kind: 'resize', filter, ...library } as const;
  if (shortestEdge !== 0) {
    checkRequestedSide('shortest_edge', shortestEdge);
    return [{ ...step, fit: 'shortestEdge', shortestEdge }];
  }
  if ((width === 0) !== (height === 0)) {
    checkRequestedSide(width === 0 ? 'height' : 'width', width + height);
    return [width === 0 ? { ...step, fit: 'height', height } : { ...step, fit: 'width', width }];
  }
  checkRequestedSize(width, height, maxOutputPixels);
  if (fit !== 'contain') return [{ ...step, fit, width, height }];
  return [
    { ...step, fit: 'inside', width, height },
    { kind: 'pad', width, height, colour: background },
  ];
}

function cropStep({ width, height }: CenterCrop, maxOutputPixels: number): CropStep {
  checkRequestedSize(width, height, maxOutputPixels, 'crop.');
  return { kind: 'crop', width, height, origin: 'torchvision' };
}

function backgroundColour(background: string): Colour | undefined {
  if (background === '') return undefined;
  const [, red, green, blue] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(background) ?? [];
  if (red === undefined || green === undefined || blue === undefined) {
    throw invalidOption('background', background, '#RRGGBB');
  }
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}
