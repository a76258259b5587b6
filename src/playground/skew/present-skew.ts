import type { ProcessResponse, SkewResponse, Tensor } from '../../../gen/image/v1/processor_pb.ts';
import { value } from '../page/figures.ts';
import type { CallEvents } from '../service/call-events.ts';
import { blobOf, type ImageSource } from '../source/source.ts';
import type { GivenState, State } from '../state/state.ts';
import { type Bitmap, decodeBitmap } from '../view/bitmap.ts';
import type { Scene } from '../view/scene.ts';
import { type Planes, planesOf } from '../view/tensor.ts';
import { distanceAt, drawPicture, extremesOf, readPicture } from './draw-tensor.ts';
import { makeExample } from './examples.ts';
import type { createGivenFiles, Given } from './given.ts';
import { rawDatatypes, shapeIn } from './given.ts';
import { type RawForm, requestSkew } from './request-skew.ts';
import { sceneOfSkew } from './skew-scene.ts';
import { sentenceOf } from './skew-words.ts';
import { readTensorFile } from './tensor-file.ts';
import { rangeOfExpected, rangeOfGiven } from './value-range.ts';

/** The view of another program's tensor. */
export interface SkewPresentation extends Chosen {
  readonly view: 'skew';
  /** One line for screen readers. */
  readonly summary: string;
  readonly report?: SkewResponse;
  /** Undefined where the pixels are no single picture. */
  readonly scene: Scene | undefined;
  /** How the given values are drawn, in words; undefined if they are not drawn, or are pixels already. */
  readonly drawn?: string;
}

/** The file of another program, as far as it is chosen. */
export interface Chosen {
  /** Undefined: nothing is chosen, or it is no longer here. */
  readonly given: Given | undefined;
  /** The form that raw values are read in. */
  readonly raw: RawForm | undefined;
  /** The entry or choice that is missing, in words. */
  readonly request: string | undefined;
}

/** The expected result: the responses to the settings, as PNG and as FP32 in NCHW. */
export interface Expected {
  readonly response: ProcessResponse;
  /** Undefined where the pixels are no single picture. */
  readonly picture: ProcessResponse | undefined;
  readonly planes: ProcessResponse | undefined;
}

/** Opens the file that is chosen, or makes the example. @throws ConnectError */
export async function openGiven(
  { given: chosen, settings }: State,
  { response, picture, planes }: Expected,
  source: ImageSource,
  files: ReturnType<typeof createGivenFiles>,
  signal: AbortSignal,
): Promise<Chosen> {
  const { file } = chosen;
  const given =
    file?.kind === 'example'
      ? picture && (await makeExample(file.name, settings, source, picture, signal))
      : file && (await files.open(file.name));
  const expected = (planes ?? response).tensors[0];
  const raw = given?.kind === 'raw' ? rawForm(chosen, given, expected) : undefined;
  return { given, raw, request: missing(chosen, given, raw) };
}

/**
 * Compares what another program made with what the settings give.
 *
 * @throws ConnectError, and Failure OPTION_INVALID
 */
export async function presentSkew(
  { settings }: State,
  chosen: Chosen,
  { picture, planes }: Expected,
  source: ImageSource,
  events: CallEvents,
  signal: AbortSignal,
): Promise<SkewPresentation> {
  const expected = picture && (await decodeBitmap(blobOf(picture)));
  const { given, raw, request } = chosen;
  const view = 'skew';
  if (request !== undefined || given === undefined) {
    const scene = expected && sceneOfSkew({ expected });
    return { view, ...chosen, summary: request ?? invitation, scene };
  }
  events.onProgress({ phase: 'processing', work: 'search' });
  const report = await requestSkew(given, raw, settings, source, events, signal);
  const summary = sentenceOf(report);
  if (expected === undefined || planes === undefined) {
    return { view, ...chosen, summary, report, scene: undefined };
  }
  const own = await drawGiven(given, report, planesOf(planes), expected);
  const map = report.map.length === 0 ? undefined : await decodeBitmap(pngOf(report.map));
  const scene = sceneOfSkew({ expected, given: own?.bitmap, map, describe: own?.describe });
  return { view, ...chosen, summary, report, scene, ...(own?.words && { drawn: own.words }) };
}

const invitation = 'Choose the tensor of your pipeline, or drop it.';

/** The entry or choice that is missing, in words. */
function missing(
  { file }: GivenState,
  given: Given | undefined,
  raw: RawForm | undefined,
): string | undefined {
  if (file?.kind === 'example' && given === undefined) {
    return 'Examples are made only for a plain resize and crop. Choose another preset, or your own tensor.';
  }
  if (file?.kind === 'upload' && given === undefined) {
    return `Links and reloads do not contain files. Choose ${file.name} again.`;
  }
  if (raw !== undefined && raw.shape.length === 0) {
    return `${given?.name} is no NumPy file and no safetensors. Enter the shape and the datatype of its values.`;
  }
  return undefined;
}

/** The form that is entered, or that of the expected tensor if the file has the same length. */
function rawForm({ shape, datatype }: GivenState, { file }: Given, expected: Tensor | undefined): RawForm {
  const entered = shapeIn(shape);
  const isSameLength = expected !== undefined && file.size === Number(expected.bytes);
  if (entered.length === 0 && isSameLength) {
    return { shape: expected.shape.map(Number), datatype: datatype || expected.datatype };
  }
  return { shape: entered, datatype: datatype || rawDatatypes[0] };
}

/** The given pixels, drawn. */
interface DrawnGiven {
  readonly bitmap: Bitmap;
  /** How the values are drawn. */
  readonly words?: string;
  /** The largest difference of a pixel's channels. */
  readonly describe: (x: number, y: number) => string;
}

/** Draws what is given. @returns undefined if it cannot be drawn */
async function drawGiven(
  given: Given,
  { given: about, cause }: SkewResponse,
  planes: Planes,
  expected: Bitmap,
): Promise<DrawnGiven | undefined> {
  if (given.kind === 'picture') {
    const bitmap = await decodeBitmap(given.file).catch(() => undefined);
    return bitmap && { bitmap, describe: (x, y) => `${levelsApart(bitmap, expected, x, y)} levels` };
  }
  if (about === undefined) return undefined;
  const described = { name: about.name, datatype: about.datatype, shape: about.shape.map(Number) };
  const tensor = await readTensorFile(given, described).catch(() => undefined);
  const steps = cause?.steps ?? [];
  const layout = steps.find(({ name }) => name === 'layout')?.yours;
  const values = tensor && (await readPicture(tensor, layout));
  if (values === undefined) return undefined;
  const extremes = await extremesOf(values);
  const range = rangeOfGiven(steps, rangeOfExpected(planes, expected.pixels), extremes, values.channels);
  return {
    bitmap: await drawPicture(values, range),
    words: range.words,
    describe: (x, y) => value(distanceAt(values, planes, x, y)),
  };
}

/** The largest distance of a pixel's channels, in levels. */
function levelsApart(one: Bitmap, other: Bitmap, x: number, y: number): number {
  const levels = ({ pixels, width }: Bitmap) => pixels.subarray(4 * (y * width + x), 4 * (y * width + x) + 3);
  const others = levels(other);
  return Math.max(...Array.from(levels(one), (level, channel) => Math.abs(level - (others[channel] ?? 0))));
}

function pngOf(bytes: Uint8Array): Blob {
  return new Blob([bytes as Uint8Array<ArrayBuffer>], { type: 'image/png' });
}
