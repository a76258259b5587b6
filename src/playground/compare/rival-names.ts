/*
 * The comparisons with the pixels of a model's training: the calls that other code makes instead.
 */

/** A comparison, in the words of its users. */
interface RivalWords {
  /** On its button. */
  readonly label: string;
  /** As the subject of a sentence. */
  readonly subject: string;
  /** The call that does it. @param width - in pixels, like height */
  readonly call: (width: number, height: number) => string;
  readonly about: string;
}

/** In the order of their buttons. */
export const rivals = {
  opencv: {
    label: 'OpenCV',
    subject: 'OpenCV’s default',
    call: (width, height) => `cv2.resize(image, (${width}, ${height}))`,
    about: 'INTER_LINEAR does not antialias: of a large image it reads only a few pixels.',
  },
  sharp: {
    label: 'sharp',
    subject: 'sharp’s default',
    call: (width, height) => `sharp(image).resize(${width}, ${height}, { fit: 'fill' })`,
    about:
      'Lanczos by libvips, on the decoded pixels. Of a JPEG or WebP file, sharp also shrinks while decoding, which differs more.',
  },
  canvas: {
    label: 'Canvas',
    subject: 'This browser’s canvas',
    call: (width, height) => `context.drawImage(image, 0, 0, ${width}, ${height})`,
    about: 'The resize of transformers.js in a browser. Each browser has its own filter and JPEG decoder.',
  },
  interpolate: {
    label: 'No antialiasing',
    subject: 'torch without antialiasing',
    call: (width, height) => `F.interpolate(x, (${height}, ${width}), mode="bilinear")`,
    about: 'antialias=False is the default of torch.nn.functional.interpolate.',
  },
  fast: {
    label: 'fast',
    subject: 'This service’s numerics=fast',
    call: () => 'numerics=fast',
    about: 'libvips’ shrinking decode, for images that people look at.',
  },
} as const satisfies Readonly<Record<string, RivalWords>>;

export type RivalName = keyof typeof rivals;

export const rivalNames = Object.keys(rivals) as RivalName[];
