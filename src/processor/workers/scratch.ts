/** Bytes kept between images: enough for a 16-megapixel photo in colour. Larger buffers are freed after their image. */
const keptBytes = 48 * 2 ** 20;

let kept = Buffer.alloc(0);

/**
 * Memory with arbitrary contents for the decoded pixels of one image. The next call returns the same bytes: allocating
 * a new buffer of this size costs a third of the decoding time, in page faults and garbage collection.
 */
export function takeScratch(bytes: number): Buffer {
  if (bytes > keptBytes) return Buffer.allocUnsafeSlow(bytes);
  if (bytes > kept.length) kept = Buffer.allocUnsafeSlow(bytes);
  return kept.subarray(0, bytes);
}

/** Returns the bytes, copied if they are in the scratch memory, which the next image overwrites. */
export function outOfScratch(bytes: Uint8Array): Uint8Array {
  return bytes.buffer === kept.buffer ? Uint8Array.from(bytes) : bytes;
}
