/** Memory for running work, shared by several admissions. */
export interface SharedMemory {
  readonly maxBytes: number;
  /** Whether this much is free. */
  hasRoom(bytes: number): boolean;
  take(bytes: number): void;
  /** Gives bytes back and then calls every listener. */
  giveBack(bytes: number): void;
  /** @param listener - starts work that waits for memory */
  onGivenBack(listener: () => void): void;
}

/** @param maxBytes - of all running work together */
export function createSharedMemory(maxBytes: number): SharedMemory {
  const listeners: (() => void)[] = [];
  let takenBytes = 0;
  return {
    maxBytes,
    hasRoom: (bytes) => takenBytes + bytes <= maxBytes,
    take(bytes) {
      takenBytes += bytes;
    },
    giveBack(bytes) {
      takenBytes -= bytes;
      for (const listener of listeners) listener();
    },
    onGivenBack: (listener) => void listeners.push(listener),
  };
}
