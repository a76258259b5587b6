import sharp, { type Sharp } from 'sharp';
import type { Pipeline } from '../pipelines.ts';
import { type PixelPipeline, pixelPipeline } from './pixels.ts';

const optional = { 'rounding?': '', 'size?': '', 'crop?': '', 'filter?': '', 'decoder?': '' };
const libvips = { numerics: ['libvips', 'sharp'], ...optional };

function declared(
  name: string,
  run: (image: Sharp) => Sharp,
  { kind, ...rest }: { kind?: string; expected?: PixelPipeline['expected'] } = {},
  open: (content: Uint8Array) => Sharp = (content) => sharp(content),
): PixelPipeline {
  return {
    name: `${name}, ViT`,
    expected: libvips,
    ...(kind !== undefined && { kind }),
    ...rest,
    async pixels({ content }) {
      const { data, info } = await run(open(content)).raw().toBuffer({ resolveWithObject: true });
      return { ...info, data };
    },
  };
}

const fill = { fit: 'fill' } as const;

const table: readonly PixelPipeline[] = [
  declared('sharp resize(224, 224)', (image) => image.resize(224, 224)),
  declared('sharp resize(224, 224), large', (image) => image.resize(224, 224), { kind: 'large jpeg' }),
  declared('sharp fit fill', (image) => image.resize(224, 224, fill)),
  declared('sharp fit fill, png', (image) => image.resize(224, 224, fill), { kind: 'photo png' }),
  declared('sharp fit contain', (image) => image.resize(224, 224, { fit: 'contain' }), {
    expected: { ...libvips, 'pad?': '' },
  }),
  declared(
    'sharp fit contain, gray 114',
    (image) => image.resize(224, 224, { fit: 'contain', background: { r: 114, g: 114, b: 114 } }),
    { expected: { ...libvips, 'pad?': '' } },
  ),
  declared('sharp fit cover, position top', (image) => image.resize(224, 224, { position: 'top' })),
  declared(
    'sharp fastShrinkOnLoad false',
    (image) => image.resize(224, 224, { ...fill, fastShrinkOnLoad: false }),
    { kind: 'jpeg' },
  ),
  declared('sharp kernel cubic', (image) => image.resize(224, 224, { ...fill, kernel: 'cubic' })),
  declared('sharp kernel linear', (image) => image.resize(224, 224, { ...fill, kernel: 'linear' })),
  declared('sharp kernel nearest', (image) => image.resize(224, 224, { ...fill, kernel: 'nearest' })),
  declared('sharp kernel mitchell', (image) => image.resize(224, 224, { ...fill, kernel: 'mitchell' })),
  declared('sharp greyscale', (image) => image.greyscale().resize(224, 224, fill).toColourspace('b-w'), {
    expected: { ...libvips, grayscale: '' },
  }),
  declared('sharp removeAlpha', (image) => image.removeAlpha().resize(224, 224, fill), {
    kind: 'alpha',
    expected: { ...libvips, 'alpha?': '' },
  }),
  declared('sharp flatten white', (image) => image.flatten({ background: '#fff' }).resize(224, 224, fill), {
    kind: 'alpha',
    expected: { ...libvips, alpha: 'white' },
  }),
  declared('sharp without autoOrient', (image) => image.resize(224, 224, fill), {
    kind: 'exif',
    expected: { ...libvips, orientation: 'ignore' },
  }),
  declared('sharp rotate(), then fill', (image) => image.rotate().resize(224, 224, fill), { kind: 'exif' }),
  declared('sharp of a wide-gamut file', (image) => image.resize(224, 224, fill), {
    kind: 'icc',
    expected: { ...libvips, 'icc?': '' },
  }),
  declared('sharp sharpen after the resize', (image) => image.resize(224, 224, fill).sharpen(), {
    expected: null,
  }),
  declared('sharp normalise', (image) => image.resize(224, 224, fill).normalise(), { expected: null }),
];

/** Pipelines with sharp, as services in Node write them. */
export const sharpPipelines: readonly Pipeline[] = table.map((each) => pixelPipeline(each));
