/** An image in this page's memory. */
export interface Bitmap {
  readonly canvas: HTMLCanvasElement;
  readonly width: number;
  readonly height: number;
  /** The size of the image itself; the bitmap may be smaller. */
  readonly original: { readonly width: number; readonly height: number };
  /** [height, width, 4] uint8, alpha not multiplied in. */
  readonly pixels: Uint8ClampedArray;
}

/** The longest side of a canvas, in pixels: phones have no larger ones. */
const maxCanvasSide = 4096;

/**
 * Decodes an image in the browser, without converting its colours; EXIF orientation is applied.
 *
 * @throws DOMException for formats that the browser does not support
 */
export async function decodeBitmap(blob: Blob): Promise<Bitmap> {
  const image = await createImageBitmap(blob, { colorSpaceConversion: 'none', premultiplyAlpha: 'none' });
  const factor = Math.min(1, maxCanvasSide / Math.max(image.width, image.height));
  const width = Math.max(1, Math.round(image.width * factor));
  const height = Math.max(1, Math.round(image.height * factor));
  const { canvas, context } = emptyCanvas(width, height);
  context.drawImage(image, 0, 0, width, height);
  const original = { width: image.width, height: image.height };
  image.close();
  return { canvas, width, height, original, pixels: context.getImageData(0, 0, width, height).data };
}

/** A bitmap of pixels made here. @param pixels - [height, width, 4] uint8 */
export function bitmapOf(pixels: Uint8ClampedArray<ArrayBuffer>, width: number, height: number): Bitmap {
  const { canvas, context } = emptyCanvas(width, height);
  context.putImageData(new ImageData(pixels, width, height), 0, 0);
  return { canvas, width, height, original: { width, height }, pixels };
}

/** A part of a bitmap, from its left upper corner at `left`, `top`. In pixels. */
export function croppedBitmap(
  bitmap: Bitmap,
  { left, top, width, height }: { left: number; top: number; width: number; height: number },
): Bitmap {
  const { canvas, context } = emptyCanvas(width, height);
  context.drawImage(bitmap.canvas, -left, -top);
  const { data } = context.getImageData(0, 0, width, height);
  return { canvas, width, height, original: { width, height }, pixels: data };
}

/** A bitmap as this browser's canvas scales it, with its default smoothing. In pixels. */
export function drawnBitmap(bitmap: Bitmap, width: number, height: number): Bitmap {
  const { canvas, context } = emptyCanvas(width, height);
  context.drawImage(bitmap.canvas, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return { canvas, width, height, original: { width, height }, pixels: data };
}

function emptyCanvas(width: number, height: number) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (context === null) throw new Error('This browser draws no canvas.');
  return { canvas, context };
}
