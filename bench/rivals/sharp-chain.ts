import sharp from 'sharp';

/*
 * The program that a user of sharp would write, with sharp's own settings.
 */

/** 1024 × 768, gray. `fill`, so that it is the same part of the picture as everybody's. */
export function grayJpeg(image: Uint8Array): Promise<Buffer> {
  return sharp(image).resize(1024, 768, { fit: 'fill' }).grayscale().jpeg().toBuffer();
}

/** 1024 × 768, in colour. */
export function png(image: Uint8Array): Promise<Buffer> {
  return sharp(image).resize(1024, 768, { fit: 'fill' }).png().toBuffer();
}

/** 224 × 224, FP32, NCHW, −1…1. */
export async function tensor(image: Uint8Array): Promise<Buffer> {
  const pixels = await sharp(image)
    .autoOrient()
    .resize(224, 224, { fit: 'fill' })
    .removeAlpha()
    .raw()
    .toBuffer();
  const plane = 224 * 224;
  const values = new Float32Array(3 * plane);
  for (let at = 0; at < plane; at++) {
    for (let channel = 0; channel < 3; channel++) {
      values[channel * plane + at] = ((pixels[at * 3 + channel] as number) / 255 - 0.5) / 0.5;
    }
  }
  return Buffer.from(values.buffer);
}
