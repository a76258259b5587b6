import type { CodedImage } from './picture.ts';
import type { SequenceHeader } from './sequence-header.ts';

/**
 * Writes an AVIF of one AV1 image whose colours are labelled as full-range G, B and R. Decoders then return its planes
 * unconverted: Y as green, Cb as blue and Cr as red, each sample of subsampled chroma repeated.
 */
export function planesFile(
  { data, configuration, width, height }: CodedImage,
  { depth, isMonochrome }: SequenceHeader,
): Buffer {
  const ftyp = box('ftyp', Buffer.from('avif\0\0\0\0avifmif1miaf', 'latin1'));
  const channels = isMonochrome ? 1 : 3;
  const properties = box(
    'ipco',
    fullBox('ispe', unsigned(4, width, height)),
    box('av1C', configuration),
    fullBox('pixi', unsigned(1, channels, ...Array<number>(channels).fill(depth))),
    // Primaries of sRGB, its transfer function, the identity matrix (ITU-T H.273), full range.
    box('colr', Buffer.from('nclx'), unsigned(2, 1, 13, 0), unsigned(1, 0x80)),
  );
  // One item with all four properties; av1C is essential.
  const association = fullBox('ipma', unsigned(4, 1), unsigned(2, 1), unsigned(1, 4, 1, 0x82, 3, 4));
  const metaOf = (offset: number) =>
    fullBox(
      'meta',
      fullBox('hdlr', unsigned(4, 0), Buffer.from('pict'), Buffer.alloc(13)),
      fullBox('pitm', unsigned(2, 1)),
      fullBox('iloc', unsigned(2, 0x4400, 1, 1, 0, 1), unsigned(4, offset, data.length)),
      fullBox('iinf', unsigned(2, 1), infe()),
      box('iprp', properties, association),
    );
  const offset = ftyp.length + metaOf(0).length + 8;
  return Buffer.concat([ftyp, metaOf(offset), box('mdat', data)]);
}

function infe(): Buffer {
  const entry = fullBox('infe', unsigned(2, 1, 0), Buffer.from('av01\0'));
  entry.writeUInt8(2, 8); // its version
  return entry;
}

function box(type: string, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 8);
  return Buffer.concat([unsigned(4, length), Buffer.from(type), ...parts], length);
}

function fullBox(type: string, ...parts: readonly Buffer[]): Buffer {
  return box(type, Buffer.alloc(4), ...parts);
}

function unsigned(bytes: number, ...values: readonly number[]): Buffer {
  const buffer = Buffer.alloc(bytes * values.length);
  for (const [index, value] of values.entries()) buffer.writeUIntBE(value, index * bytes, bytes);
  return buffer;
}
