/** Kept from one image to the next: a 16-megapixel photo in colour. More is given back after its image. */
const keptBytes = 48 * 2 ** 20;

let kept = Buffer.alloc(0);

/**
 * Memory with arbitrary contents for the decoded pixels of one image. Whoever takes it again gets the same bytes:
 * a new buffer of this size costs as much as a third of the decoding does, in page faults and in collections.
 */
export function takeScratch(bytes: number): Buffer {
  if (bytes > keptBytes) return Buffer.allocUnsafeSlow(bytes);
  if (bytes > kept.length) kept = Buffer.allocUnsafeSlow(bytes);
  return kept.subarray(0, bytes);
}

/** The bytes, in memory of their own where they lie in what the next image will overwrite. */
export function outOfScratch(bytes: Uint8Array): Uint8Array {
  return bytes.buffer === kept.buffer ? Uint8Array.from(bytes) : bytes;
}
