declare const own: unique symbol;

/** Bytes in memory that only their holder has a view of. The code that creates such memory gives its bytes this type. */
export type OwnBytes = Uint8Array & { readonly [own]: true };

/**
 * Frees the memory of bytes at once. The garbage collector would find it only after tens of megabytes more, in a search
 * of the whole heap. The bytes are empty afterwards, and so is every view of them, which makes an error of what would be
 * another caller's image if the memory were reused.
 *
 * No write may still read them. Does nothing for a part of a larger buffer, which may have other holders.
 */
export function release({ buffer, length }: OwnBytes): void {
  if (length > 0 && length === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
}
