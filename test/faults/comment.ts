import { pngChunk } from '../support/png.ts';

/**
 * The same picture as another file, which no cache knows: a JPEG or PNG with a comment. In parts, so that nothing of
 * it need be copied.
 */
export function withComment(file: Uint8Array, comment: string): Uint8Array[] {
  const text = Buffer.from(comment, 'latin1');
  if (file[0] === 0xff) {
    const start = Buffer.concat([file.subarray(0, 2), Buffer.from([0xff, 0xfe, 0, text.length + 2]), text]);
    return [start, file.subarray(2)];
  }
  // Signature and IHDR are 33 bytes; tEXt may follow.
  const chunk = pngChunk('tEXt', Buffer.concat([Buffer.from('Comment\0', 'latin1'), text]));
  return [Buffer.concat([file.subarray(0, 33), chunk]), file.subarray(33)];
}
