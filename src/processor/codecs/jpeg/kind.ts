import { Failure } from '../../../failures.ts';
import { findJpegSegment, isFrame } from './segments.ts';

/** JPEG-LS begins as JPEG does, but has its own frame marker (ITU-T T.87, annex C). */
const jpegLs = 0xf7;

/** Numbers of colour components that Pillow accepts. */
const componentCounts: readonly number[] = [1, 3, 4];

/**
 * Checks the coding that a JPEG's frame header states.
 *
 * @throws FORMAT_UNSUPPORTED, for samples of other than 8 bits, JPEG-LS, hierarchical JPEG, and two components
 */
export function checkJpegKind(content: Uint8Array): void {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const at = findJpegSegment(bytes, (marker) => marker === jpegLs || isFrame(marker));
  if (at === undefined || at + 10 > bytes.length) return;
  const marker = bytes.readUInt8(at + 1);
  const [bits, components] = [bytes.readUInt8(at + 4), bytes.readUInt8(at + 9)];
  if (marker === jpegLs) refuse('It is JPEG-LS.', { coding: 'JPEG-LS' });
  // SOF5 to SOF7 and SOF13 to SOF15: differential frames.
  if ((marker & 4) !== 0) refuse('It is hierarchical.', { coding: 'hierarchical' });
  if (bits !== 8) {
    refuse(`Its samples have ${bits} bits; 8 are supported.`, { bits_per_sample: String(bits) });
  }
  if (!componentCounts.includes(components)) {
    refuse(`It has ${components} components; ${componentCounts.join(', ')} are supported.`, {
      components: String(components),
    });
  }
}

function refuse(what: string, metadata: Readonly<Record<string, string>>): never {
  throw new Failure(
    'FORMAT_UNSUPPORTED',
    `The JPEG is of an unsupported kind. ${what} Convert it first, for example to PNG.`,
    { format: 'jpeg', ...metadata },
  );
}
