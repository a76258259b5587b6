import type { CenterCrop, ProcessRequest, Resize } from '../../../gen/image/v1/processor_pb.ts';
import { invalidOption } from '../../options/invalid-option.ts';
import type { Colour, CropPlan, Plan, ResizePlan } from '../image/plan.ts';
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
  return {
    source: sourcePlan(request.sourceOptions),
    resize: request.resize && resizePlan(request.resize, maxOutputPixels),
    crop: request.crop && cropPlan(request.crop, maxOutputPixels),
    grayscale: request.grayscale,
    numerics: enumName('numerics', request.numerics, numericsNames),
    background: backgroundColour(request.background),
    output:
      request.output.case === 'tensor'
        ? tensorPlan(request.output.value, request.grayscale ? 1 : 3)
        : imagePlan(request.output.value),
  };
}

function resizePlan(resize: Resize, maxOutputPixels: number): ResizePlan {
  const { width, height, shortestEdge } = resize;
  const filter = enumName('filter', resize.filter, filterNames);
  const fit = enumName('fit', resize.fit, fitNames);
  if (shortestEdge === 0 && (width === 0) !== (height === 0)) {
    checkRequestedSide(width === 0 ? 'height' : 'width', width + height);
    return width === 0 ? { fit: 'height', height, filter } : { fit: 'width', width, filter };
  }
  if (shortestEdge === 0) {
    checkRequestedSize(width, height, maxOutputPixels);
    return { width, height, fit, filter };
  }
  checkRequestedSide('shortest_edge', shortestEdge);
  return { fit: 'shortestEdge', shortestEdge, filter };
}

function cropPlan({ width, height }: CenterCrop, maxOutputPixels: number): CropPlan {
  checkRequestedSize(width, height, maxOutputPixels, 'crop.');
  return { width, height, origin: 'torchvision' };
}

function backgroundColour(background: string): Colour | undefined {
  if (background === '') return undefined;
  const [, red, green, blue] = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(background) ?? [];
  if (red === undefined || green === undefined || blue === undefined) {
    throw invalidOption('background', background, '#RRGGBB');
  }
  return [Number.parseInt(red, 16), Number.parseInt(green, 16), Number.parseInt(blue, 16)];
}
