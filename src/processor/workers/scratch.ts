import { type OwnBytes, release } from '../../own-bytes.ts';

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

/** Copies bytes that the next image would overwrite, and returns all others unchanged. The type of a job's result requires it. */
export function outOfScratch(bytes: Uint8Array): OwnBytes {
  return (bytes.buffer === kept.buffer ? Uint8Array.from(bytes) : bytes) as OwnBytes;
}

/**
 * Frees the memory of pixels that nothing reads any more, unless it is scratch memory.
 *
 * @param read - bytes that are still read: the pixels may be theirs
 */
export function freePixels(pixels: Uint8Array, ...read: readonly Uint8Array[]): void {
  const isRead = [kept, ...read].some(({ buffer }) => buffer === pixels.buffer);
  if (!isRead) release(pixels as OwnBytes);
}

/** Gives the scratch memory back to the system. */
export function releaseScratch(): void {
  kept = Buffer.alloc(0);
}

/** Overwrites the scratch memory, as the next image would. */
export function poisonScratch(): void {
  kept.fill(0xa5);
}
