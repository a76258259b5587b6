/**
 * Memory for messages, used again. New memory of a megabyte costs its pages, a fault for each, and a part of a
 * collection: about as much as all that is done with the message on its way.
 */
export interface MemoryPool {
  /** @returns at least so many bytes, of whatever content */
  take(bytes: number): Buffer;
  /** Gives back what `take` gave: for who calls this, and all whom he has told of it, it is gone. */
  give(memory: Buffer): void;
  /** Bytes that wait to be used again. */
  readonly freeBytes: number;
}

/** Less is cheap. Bytes. */
const leastBytes = 128 * 1024;

/** So that a length has a chance to come again. Bytes. */
const stepBytes = 64 * 1024;

/** @param maxBytes - that wait to be used again, together */
export function createMemoryPool(maxBytes = 16 * 1024 * 1024): MemoryPool {
  /** Given back last is last. */
  const free: Buffer[] = [];
  let freeBytes = 0;

  function remove(at: number): Buffer {
    const [memory] = free.splice(at, 1) as [Buffer];
    freeBytes -= memory.length;
    return memory;
  }

  return {
    take(bytes) {
      if (bytes < leastBytes) return Buffer.allocUnsafeSlow(bytes);
      const at = free.findLastIndex(({ length }) => length >= bytes && length < 2 * bytes);
      return at === -1 ? Buffer.allocUnsafeSlow(Math.ceil(bytes / stepBytes) * stepBytes) : remove(at);
    },
    give(memory) {
      if (memory.length < leastBytes || memory.length > maxBytes) return;
      free.push(memory);
      freeBytes += memory.length;
      while (freeBytes > maxBytes) remove(0);
    },
    get freeBytes() {
      return freeBytes;
    },
  };
}

/** That of this process, for what comes and goes by messages. */
export const messageMemory: MemoryPool = createMemoryPool();
