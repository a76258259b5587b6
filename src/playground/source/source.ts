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

/** A source, with a picture of it for display. */
export interface ImageSource {
  readonly name: string;
  /** Reads the file. @throws DOMException if it has changed or was moved */
  readonly message: () => Promise<ProcessRequest['source']>;
  /** The file; undefined for a URL. */
  readonly file: File | undefined;
  /** The picture as the browser itself decodes it; undefined if it cannot. */
  readonly preview: () => Promise<Bitmap | undefined>;
  /** @param response - any response of the service for this source */
  readonly picture: (response: ProcessResponse, signal: AbortSignal) => Promise<Bitmap>;
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
  let kept: Promise<Bitmap> | undefined;
  const decoded = decodedOnce(message);
  return {
    decoded,
    name: file.name === '' ? 'image' : file.name,
    message,
    file,
    preview,
    picture(response, signal) {
      // The service decodes formats that browsers do not, such as TIFF.
      kept ??= preview().then((bitmap) => bitmap ?? pictureByService(message, response, signal));
      kept.catch(() => {
        kept = undefined;
      });
      return kept;
    },
  };
}

/** A URL as a source. The service downloads it, also for display: the page connects only to the service. */
export function sourceOfUrl(url: string): ImageSource {
  const message = async () => ({ case: 'url' as const, value: url });
  let kept: Promise<Bitmap> | undefined;
  const decoded = decodedOnce(message);
  return {
    decoded,
    name: url,
    message,
    file: undefined,
    preview: async () => undefined,
    picture(response, signal) {
      kept ??= pictureByService(message, response, signal);
      kept.catch(() => {
        kept = undefined;
      });
      return kept;
    },
  };
}

/** Keeps the last pixels that the service has decoded of a source. */
function decodedOnce(message: ImageSource['message']): ImageSource['decoded'] {
  let kept: { key: string; blob: Promise<Blob> } | undefined;
  return ({ orientation, alpha, page, dpi, page_box, annotations }, signal) => {
    const own = { orientation, alpha, page, dpi, page_box, annotations };
    const key = JSON.stringify(own);
    if (kept?.key === key) return kept.blob;
    const plain = { ...initialSettings, recipe: 'own', sizing: 'source', grayscale: false } as const;
    const request = requestOf(asPng({ ...plain, ...own }, 'exact'));
    const blob = message()
      .then((source) => callProcess({ ...request, source }, signal))
      .then(blobOf);
    kept = { key, blob };
    blob.catch(() => {
      if (kept?.key === key) kept = undefined;
    });
    return blob;
  };
}

/** The source as the service decodes it, for display. */
async function pictureByService(
  message: ImageSource['message'],
  { source: known }: ProcessResponse,
  signal: AbortSignal,
): Promise<Bitmap> {
  const longest = Math.max(known?.width ?? 0, known?.height ?? 0);
  const resize = { width: maxPictureSide, height: maxPictureSide, fit: Fit.INSIDE };
  const request = create(ProcessRequestSchema, {
    source: await message(),
    ...(longest > maxPictureSide ? { resize } : {}),
    output: { case: 'image', value: { format: ImageFormat.PNG } },
  });
  const response = await callProcess(request, signal);
  const bitmap = await decodeBitmap(blobOf(response));
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
