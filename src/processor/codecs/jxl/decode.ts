import { readFileSync } from 'node:fs';
import { initSync, JxlImage, version } from 'jxl-oxide-wasm';
import type { Pixels } from '../../image/pixels.ts';
import { decodingFailure } from '../decoder-failure.ts';
import type { ImageHeader } from '../header.ts';
import { decodeByLibvips } from '../libvips/decode.ts';

initSync({
  module: readFileSync(new URL('jxl_oxide_wasm_bg.wasm', import.meta.resolve('jxl-oxide-wasm'))),
});

export const libraries = { 'jxl-oxide': version() } as const;

/** The decoder writes a PNG with the same samples and colour space, turned by the codestream's orientation. */
export async function decode(content: Uint8Array, header: ImageHeader): Promise<Pixels> {
  const png = pngOf(content, header);
  const { orientation, ...asStored } = header;
  const pixels = await decodeByLibvips(png, { ...asStored, orientation: 1 });
  if (pixels.width === header.width && pixels.height === header.height) return pixels;
  throw decodingFailure(header, new Error(`decoded as ${pixels.width} × ${pixels.height}`));
}

function pngOf(content: Uint8Array, header: ImageHeader): Uint8Array {
  try {
    const image = new JxlImage();
    image.feedBytes(content);
    if (!image.tryInit()) throw new Error('the header is cut off');
    const { width, height } = image;
    if (width !== header.width || height !== header.height) {
      throw new Error(`the decoder reads the size ${width} × ${height}`);
    }
    if (!image.loaded) throw new Error('the file is cut off');
    const png = image.render().encodeToPng();
    image.free();
    return png;
  } catch (cause) {
    throw decodingFailure(header, cause);
  }
}
