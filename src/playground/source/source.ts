import { create } from '@bufbuild/protobuf';
import {
  Fit,
  ImageFormat,
  type ProcessRequest,
  ProcessRequestSchema,
  type ProcessResponse,
} from '../../../gen/image/v1/processor_pb.ts';
import { requestOf } from '../form/request.ts';
import { asPng, initialSettings, type Settings } from '../form/settings.ts';
import { callProcess } from '../service/call.ts';
import { type Bitmap, decodeBitmap } from '../view/bitmap.ts';
import { withPassword } from './password.ts';

/** A source, with a picture of it for display. */
export interface ImageSource {
  readonly name: string;
  /** Reads the file. @throws DOMException if it has changed or was moved */
  readonly message: () => Promise<ProcessRequest['source']>;
  /** Of an encrypted document; empty until it is entered. Undefined: it is not known to be encrypted. */
  password: string | undefined;
  /** The file; undefined for a URL. */
  readonly file: File | undefined;
  /** The picture as the browser itself decodes it; undefined if it cannot. */
  readonly preview: () => Promise<Bitmap | undefined>;
  /** @param response - a response of the service for this source with these settings */
  readonly picture: (settings: Settings, response: ProcessResponse, signal: AbortSignal) => Promise<Bitmap>;
  /** The pixels as the service decodes them, upright, as PNG. */
  readonly decoded: (settings: Settings, signal: AbortSignal) => Promise<Blob>;
}

/** The longest side of a picture for display, in pixels. Larger ones are requested smaller. */
const maxPictureSide = 4096;

/** A file as a source. */
export function sourceOfFile(file: File): ImageSource {
  // A page of many files holds the bytes only of those that are being sent.
  const message = async () => ({ case: 'content' as const, value: new Uint8Array(await file.arrayBuffer()) });
  let drawn: Promise<Bitmap | undefined> | undefined;
  const preview = () => {
    drawn ??= decodeBitmap(file).catch(() => undefined);
    return drawn;
  };
  const service = drawnByService(message, () => source.password);
  const source: ImageSource = {
    ...service,
    name: file.name === '' ? 'image' : file.name,
    message,
    password: undefined,
    file,
    preview,
    // The service decodes formats that browsers do not, such as TIFF.
    picture: async (settings, response, signal) =>
      (await preview()) ?? (await service.picture(settings, response, signal)),
  };
  return source;
}

/** A URL as a source. The service downloads it, also for display: the page connects only to the service. */
export function sourceOfUrl(url: string): ImageSource {
  const message = async () => ({ case: 'url' as const, value: url });
  const service = drawnByService(message, () => source.password);
  const source: ImageSource = {
    ...service,
    name: url,
    message,
    password: undefined,
    file: undefined,
    preview: async () => undefined,
  };
  return source;
}

/** The source as the service decodes it; of a document, the page of the settings. */
function drawnByService(
  message: ImageSource['message'],
  password: () => string | undefined,
): Pick<ImageSource, 'picture' | 'decoded'> {
  const call = async (request: ProcessRequest, signal: AbortSignal) =>
    callProcess({ ...withPassword(request, password()), source: await message() }, signal);
  const [keepBlob, keepPicture] = [keepLast<Blob>(), keepLast<Bitmap>()];
  return {
    decoded({ orientation, alpha, ...settings }, signal) {
      const own = { orientation, alpha, ...pageOf(settings) };
      return keepBlob(JSON.stringify([own, password()]), async () => {
        const plain = { ...initialSettings, recipe: 'own', sizing: 'source', grayscale: false } as const;
        return blobOf(await call(requestOf(asPng({ ...plain, ...own }, 'exact')), signal));
      });
    },
    picture(settings, response, signal) {
      const own = pageOf(settings);
      return keepPicture(JSON.stringify([own, password()]), () =>
        pictureByService((request) => call(request, signal), own, response),
      );
    },
  };
}

/** The settings that decide which page of a document is drawn, and how. */
function pageOf({ page, dpi, page_box, annotations }: Pick<Settings, PageSetting>) {
  return { page, dpi, page_box, annotations };
}

type PageSetting = 'page' | 'dpi' | 'page_box' | 'annotations';

/** Keeps the last value that was made, until another key is asked for. */
function keepLast<Value>() {
  let kept: { readonly key: string; readonly value: Promise<Value> } | undefined;
  return (key: string, make: () => Promise<Value>): Promise<Value> => {
    if (kept?.key === key) return kept.value;
    const value = make();
    kept = { key, value };
    value.catch(() => {
      if (kept?.value === value) kept = undefined;
    });
    return value;
  };
}

/** The source as the service decodes it, for display. */
async function pictureByService(
  call: (request: ProcessRequest) => Promise<ProcessResponse>,
  page: Pick<Settings, PageSetting>,
  { source: known }: ProcessResponse,
): Promise<Bitmap> {
  const longest = Math.max(known?.width ?? 0, known?.height ?? 0);
  const resize = { width: maxPictureSide, height: maxPictureSide, fit: Fit.INSIDE };
  const { sourceOptions } = requestOf({ ...initialSettings, ...page });
  const request = create(ProcessRequestSchema, {
    ...(longest > maxPictureSide ? { resize } : {}),
    ...(sourceOptions && { sourceOptions }),
    output: { case: 'image', value: { format: ImageFormat.PNG } },
  });
  const bitmap = await decodeBitmap(blobOf(await call(request)));
  const factor = Math.max(1, longest / maxPictureSide);
  const original = {
    width: Math.round(bitmap.width * factor),
    height: Math.round(bitmap.height * factor),
  };
  return { ...bitmap, original };
}

/** A response's content as a Blob. */
export function blobOf({ content, contentType }: ProcessResponse): Blob {
  return new Blob([content as Uint8Array<ArrayBuffer>], { type: contentType });
}
