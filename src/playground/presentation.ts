import type { ProcessResponse } from '../../gen/image/v1/processor_pb.ts';
import { decodeBitmap } from './bitmap.ts';
import { compareNumerics } from './compare-numerics.ts';
import type { Difference } from './difference.ts';
import { percentage } from './figures.ts';
import { placementOf } from './placement.ts';
import { findPreset } from './preset-list.ts';
import type { Scene } from './scene.ts';
import type { Settings } from './settings.ts';
import { blobOf, type ImageSource } from './source.ts';
import { type Planes, readPlanes } from './tensor.ts';
import type { View } from './view.ts';

/** A response, decoded for one of the views, with one line for screen readers. */
export type Presentation = { readonly view: View; readonly summary: string } & (
  | { readonly scene: Scene; readonly difference?: Difference }
  | { readonly planes: Planes; readonly channelNames: readonly string[] }
);

/**
 * Decodes a response for a view.
 *
 * @throws ConnectError of the calls that the comparison of numerics and the picture of the source make
 */
export async function present(
  view: View,
  settings: Settings,
  response: ProcessResponse,
  source: ImageSource,
  signal: AbortSignal,
): Promise<Presentation> {
  if (view === 'difference') {
    const { scene, difference, others } = await compareNumerics(settings, source.message, signal);
    const share = percentage(difference.shareDifferent);
    const summary = `Exact and ${others} differ in ${share} of the values, by ${difference.max} levels at most`;
    return { view, scene, difference, summary };
  }
  const [tensor] = response.tensors;
  if (tensor !== undefined) return presentTensor(settings, response, tensor);
  const scene = await sceneOf(view, settings, response, source, signal);
  const { width, height, contentType } = response;
  return { view, scene, summary: `Result ${width} × ${height} ${contentType.replace('image/', '')}` };
}

function presentTensor(
  settings: Settings,
  response: ProcessResponse,
  { datatype, shape }: ProcessResponse['tensors'][number],
): Presentation {
  const layout = settings.layout === 'nhwc' ? 'nhwc' : 'nchw';
  const planes = readPlanes(response.content, response.contentType, datatype, shape.map(Number), layout);
  const isReversed = settings.recipe === 'own' && settings.channel_order === 'bgr';
  const colours = isReversed ? ['B', 'G', 'R'] : ['R', 'G', 'B'];
  const channelNames = planes.channels.length === 1 ? ['gray'] : colours;
  return { view: 'channels', planes, channelNames, summary: `Tensor ${datatype} ${shape.join(' × ')}` };
}

async function sceneOf(
  view: View,
  settings: Settings,
  response: ProcessResponse,
  source: ImageSource,
  signal: AbortSignal,
): Promise<Scene> {
  const [bitmap, picture] = await Promise.all([
    decodeBitmap(blobOf(response)),
    // Without a picture of the source only the result is shown.
    source.picture(response, signal).catch(() => undefined),
  ]);
  const { width, height } = response;
  const preset = findPreset(settings.preset);
  const placement = picture && placementOf(settings, preset, picture.original, response);
  return {
    width,
    height,
    // A source at an unknown position can be shown only beside the result.
    mode: view === 'sides' || placement === undefined ? 'sides' : 'slider',
    left: picture && {
      label: 'Source',
      bitmap: picture,
      placement: placement ?? fittedInto(response, picture.original),
    },
    right: { label: 'Result', bitmap, placement: { x: 0, y: 0, width, height } },
  };
}

function fittedInto(box: { width: number; height: number }, size: { width: number; height: number }) {
  const factor = Math.min(box.width / size.width, box.height / size.height);
  const [width, height] = [size.width * factor, size.height * factor];
  return { x: (box.width - width) / 2, y: (box.height - height) / 2, width, height };
}
