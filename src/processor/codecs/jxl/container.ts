/** The parts of a JPEG XL file that its header needs. */
export interface JxlFile {
  /** The beginning of the codestream. */
  readonly codestream: Uint8Array;
  /** EXIF from its TIFF header on. */
  readonly exif: Uint8Array | undefined;
}

/** Limit of boxes that are read; a file has a handful. */
const mostBoxes = 1000;

/**
 * Finds the codestream in a JPEG XL file: a bare one, or one in a container of boxes (ISO/IEC 18181-2, 9).
 *
 * @throws RangeError if the boxes are damaged
 */
export function readJxlFile(content: Uint8Array): JxlFile {
  const file = Buffer.from(content.buffer, content.byteOffset, content.length);
  if (file.readUInt16BE(0) === 0xff0a) return { codestream: file, exif: undefined };
  let codestream: Buffer | undefined;
  let exif: Buffer | undefined;
  for (let at = 0, boxes = 0; at + 8 <= file.length && boxes < mostBoxes; boxes++) {
    const short = file.readUInt32BE(at);
    const headBytes = short === 1 ? 16 : 8;
    const length =
      short === 1 ? Number(file.readBigUInt64BE(at + 8)) : short === 0 ? file.length - at : short;
    if (length < headBytes) throw new RangeError(`a box of ${length} bytes`);
    const body = file.subarray(at + headBytes, at + length);
    const type = file.toString('latin1', at + 4, at + 8);
    if (type === 'jxlc') codestream ??= body;
    // The index of the part precedes it.
    if (type === 'jxlp') codestream ??= body.subarray(4);
    if (type === 'Exif') exif ??= withoutOffset(body);
    at += length;
  }
  if (codestream === undefined) throw new RangeError('no codestream');
  return { codestream, exif };
}

/** The offset of the TIFF header precedes it, but pillow-jxl-plugin writes none. */
function withoutOffset(exif: Buffer): Buffer {
  const mark = exif.toString('latin1', 4, 8);
  return mark === 'II*\0' || mark === 'MM\0*' ? exif.subarray(4) : exif;
}
