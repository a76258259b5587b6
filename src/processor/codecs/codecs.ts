import { avif } from './avif/codec.ts';
import { bmp } from './bmp/codec.ts';
import type { Codec, Decoder } from './codec.ts';
import { gif } from './gif/codec.ts';
import { heic } from './heic/codec.ts';
import { jpeg } from './jpeg/codec.ts';
import { jxl } from './jxl/codec.ts';
import { pdf } from './pdf/codec.ts';
import { png } from './png/codec.ts';
import type { SourceFormat } from './source-format.ts';
import { tiff } from './tiff/codec.ts';
import { webp } from './webp/codec.ts';

/**
 * The formats that can be read, by their names in SOURCE_FORMATS. A new format is a file and a row here, and a value
 * of ImageFormat in proto/image/v1/processor.proto.
 */
const codecs = {
  jpeg,
  png,
  webp,
  avif,
  gif,
  tiff,
  bmp,
  heic,
  jxl,
  pdf,
} as const satisfies Record<SourceFormat, Codec>;

export const sourceFormats = Object.keys(codecs) as SourceFormat[];

/** The formats that are read without an optional package. */
export const defaultFormats = sourceFormats.filter((format) => codecOf(format).peer === undefined);

/** The codec of a format. */
export function codecOf(format: SourceFormat): Codec {
  return codecs[format];
}

const decoders = new Map<SourceFormat, Promise<Decoder>>();

/** The decoder of a format, loaded at first use. Only worker processes may call this. */
export function decoderOf(format: SourceFormat): Promise<Decoder> {
  let decoder = decoders.get(format);
  if (decoder === undefined) {
    decoder = codecOf(format).load();
    decoders.set(format, decoder);
  }
  return decoder;
}
