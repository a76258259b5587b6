import type { ProcessRequest, ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import {
  type Comparison,
  compare,
  geometryOfResponse,
  rivalsFor,
  sceneOfComparison,
} from '../compare/comparison.ts';
import type { RivalName } from '../compare/rival-names.ts';
import { verdictInWords } from '../compare/stack-panel.ts';
import { requestOf } from '../form/request.ts';
import { asPlanes, asPng, type Settings } from '../form/settings.ts';
import { knownPreset } from '../presets/known-preset.ts';
import { findPreset } from '../presets/preset-list.ts';
import { blobOf, type ImageSource } from '../source/source.ts';
import type { State } from '../state/state.ts';
import type { View } from '../state/view.ts';
import { decodeBitmap } from './bitmap.ts';
import { type GalleryPicture, pictureOf } from './gallery.ts';
import { fittedInto, placementOf } from './placement.ts';
import { proportionsInWords } from './proportions.ts';
import type { Scene } from './scene.ts';
import { type Planes, readPlanes } from './tensor.ts';

/** A response, decoded for one of the views, with one line for screen readers. */
export type Presentation = {
  readonly view: Exclude<View, 'skew'>;
  readonly summary: string;
  readonly warning?: string;
} & (
  | { readonly scene: Scene; readonly comparison?: Comparison; readonly possible?: readonly RivalName[] }
  | { readonly planes: Planes; readonly channelNames: readonly string[] }
  | { readonly gallery: readonly GalleryPicture[] }
  | { readonly tensors: ProcessResponse['tensors'] }
);

/** The view of a state, or the channels where its pixels are no single picture. */
export function viewOf({ view, settings }: State): View {
  if (view === 'skew') return view;
  const isPicture = settings.recipe !== 'preset' || isOnePicture(settings.preset);
  return isPicture ? view : 'channels';
}

/**
 * The requests of a view besides that of the settings, for the same source.
 *
 * @throws Failure OPTION_INVALID
 */
export function requestsOfView(state: State): ProcessRequest[] {
  const { settings, others } = state;
  switch (viewOf(state)) {
    case 'stack':
      return [requestOf(asPng(settings, exactNumerics(settings)))];
    case 'skew':
      return state.settings.recipe === 'preset' && !isOnePicture(settings.preset)
        ? []
        : [requestOf(asPng(settings, settings.numerics)), requestOf(asPlanes(settings))];
    case 'slider':
    case 'sides':
      return settings.output === 'image' ? [] : [requestOf(asPng(settings, settings.numerics))];
    case 'channels':
      return settings.output === 'tensor' ? [] : [requestOf({ ...settings, output: 'tensor' })];
    case 'presets':
      return [settings, ...others.filter(isOnePicture).map((name) => withPreset(settings, name))].map(
        (each) => requestOf(asPng(each, 'exact')),
      );
  }
}

/** Whether the pixels of a preset are one picture, as far as the page knows. */
function isOnePicture(preset: string): boolean {
  return findPreset(preset)?.makesPictures !== true;
}

/** The same settings with another preset. */
function withPreset(settings: Settings, preset: string): Settings {
  return { ...settings, recipe: 'preset', preset, imgsz: '', stride: '', rect: false };
}

function exactNumerics({ numerics }: Settings): string {
  return numerics === 'fast' ? 'exact' : numerics;
}

/**
 * Decodes responses for a view.
 *
 * @param response - to the request of the settings
 * @param others - to the requests of the view
 * @throws ConnectError of the calls for the rival and for the picture of the source
 */
export async function present(
  view: Exclude<View, 'skew'>,
  state: State,
  response: ProcessResponse,
  others: readonly ProcessResponse[],
  source: ImageSource,
  signal: AbortSignal,
): Promise<Presentation> {
  const { settings } = state;
  const shown = others[0] ?? response;
  switch (view) {
    case 'stack':
      return presentComparison(state, shown, source, signal);
    case 'channels':
      return presentTensor(settings, shown);
    case 'presets':
      return presentPresets(state, others);
    default:
      return presentPicture(view, settings, shown, source, signal);
  }
}

async function presentComparison(
  { settings, rival: chosen }: State,
  response: ProcessResponse,
  source: ImageSource,
  signal: AbortSignal,
): Promise<Presentation> {
  const exact = await decodeBitmap(blobOf(response));
  const geometry = geometryOfResponse(settings, response);
  const possible = rivalsFor(geometry);
  const rival = possible.includes(chosen) ? chosen : 'fast';
  const { comparison, pixels } = await compare(rival, settings, exact, geometry, source, signal);
  return {
    view: 'stack',
    scene: sceneOfComparison(comparison, settings, exact, pixels),
    comparison,
    possible,
    summary: verdictInWords(comparison, settings),
    ...(geometry === undefined && {
      warning: 'Other libraries are compared only where the steps are a plain resize and a crop.',
    }),
  };
}

function presentTensor(settings: Settings, response: ProcessResponse): Presentation {
  const view = 'channels';
  const [tensor, ...more] = response.tensors;
  if (tensor === undefined) throw new Error('The response has no tensor.');
  const { datatype, shape } = tensor;
  const summary = `Tensor ${datatype} ${shape.join(' × ')}`;
  if (shape.length !== 4 || shape[0] !== 1n || more.length > 0) {
    return { view, tensors: response.tensors, summary };
  }
  const layout = settings.layout === 'nhwc' ? 'nhwc' : 'nchw';
  const planes = readPlanes(response.content, response.contentType, datatype, shape.map(Number), layout);
  const isReversed = settings.recipe === 'own' && settings.channel_order === 'bgr';
  const colours = isReversed ? ['B', 'G', 'R'] : ['R', 'G', 'B'];
  const channelNames = planes.channels.length === 1 ? ['gray'] : colours;
  return { view, planes, channelNames, summary };
}

async function presentPresets(
  { settings, others }: State,
  responses: readonly ProcessResponse[],
): Promise<Presentation> {
  const names = [
    settings.recipe === 'preset' ? settings.preset : 'These settings',
    ...others.filter(isOnePicture),
  ];
  const gallery = await Promise.all(
    responses.map((response, index) => pictureOf(names[index] ?? '', index > 0, response)),
  );
  return { view: 'presets', gallery, summary: `${gallery.length} presets of one image` };
}

async function presentPicture(
  view: 'slider' | 'sides',
  settings: Settings,
  response: ProcessResponse,
  source: ImageSource,
  signal: AbortSignal,
): Promise<Presentation> {
  const [bitmap, picture] = await Promise.all([
    decodeBitmap(blobOf(response)),
    // Without a picture of the source only the result is shown.
    source.picture(settings, response, signal).catch(() => undefined),
  ]);
  const { width, height, contentType } = response;
  const placement =
    picture && placementOf(settings, knownPreset(settings, response), picture.original, response);
  const warning = picture && placement && proportionsInWords(picture.original, placement);
  const result = { label: 'Result', bitmap, placement: { x: 0, y: 0, width, height } };
  const isOver = view === 'slider' && placement !== undefined && warning === undefined;
  const sides =
    picture === undefined
      ? []
      : [
          {
            label: 'Source',
            bitmap: picture,
            // A source that does not coincide with the result keeps its proportions.
            placement: isOver ? placement : fittedInto(response, picture.original),
          },
        ];
  return {
    view,
    scene: {
      width,
      height,
      // A source at an unknown position can be shown only beside the result.
      mode: view === 'slider' && placement !== undefined ? 'slider' : 'sides',
      sides: [...sides, result],
    },
    summary: `Result ${width} × ${height} ${contentType.replace('image/', '')}`,
    ...(warning !== undefined && { warning }),
  };
}
