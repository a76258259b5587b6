import type { Metadata } from '../orientation.ts';

const exifName = Buffer.from('Exif\0\0', 'latin1');
const xmpName = Buffer.from('http://ns.adobe.com/xap/1.0/\0', 'latin1');

/**
 * EXIF and XMP of a JPEG as Pillow's JpegImagePlugin collects them, up to the first scan. Several EXIF segments are
 * concatenated; of several XMP segments the last one counts.
 */
export function readJpegMetadata(content: Uint8Array): Metadata {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const exif: Buffer[] = [];
  let xmp: Buffer | undefined;
  for (const { marker, body } of segmentsOf(bytes)) {
    if (marker !== 0xe1) continue;
    if (startsWith(body, exifName)) exif.push(exif.length === 0 ? body : body.subarray(exifName.length));
    else if (startsWith(body, xmpName)) xmp = body.subarray(xmpName.length);
  }
  return { exif: exif.length === 0 ? undefined : Buffer.concat(exif), xmp };
}

/** Segments up to the first scan. Bytes between segments are skipped, as Pillow does. */
function* segmentsOf(bytes: Buffer): Generator<{ readonly marker: number; readonly body: Buffer }> {
  let at = 2;
  for (;;) {
    while (at + 4 <= bytes.length && !isMarker(bytes, at)) at++;
    if (at + 4 > bytes.length) return;
    const marker = bytes.readUInt8(at + 1);
    if (marker === 0xda) return;
    if (standsAlone(marker)) {
      at += 2;
      continue;
    }
    const end = at + 2 + bytes.readUInt16BE(at + 2);
    yield { marker, body: bytes.subarray(at + 4, end) };
    at = Math.max(at + 4, end);
  }
}

function isMarker(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0xff && bytes[at + 1] !== 0xff && bytes[at + 1] !== 0;
}

/** Restarts, start and end of the image (ITU-T T.81, table B.1), and the extensions that Pillow skips. */
function standsAlone(marker: number): boolean {
  return (marker >= 0xd0 && marker <= 0xd9) || marker === 0xc8 || (marker >= 0xf0 && marker <= 0xfd);
}

function startsWith(body: Buffer, name: Buffer): boolean {
  return body.subarray(0, name.length).equals(name);
}
