import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';

/**
 * Memory that the server and one worker process hold together, as a file without a name: what goes through it is
 * copied once in and once out, where a socket takes it in pieces, and each side waits for the other between them.
 *
 * It isn't mapped: who cuts a mapped file short ends the process that reads on.
 */
export interface WorkerFile {
  readonly fd: number;
  /** @returns whether all of the bytes are in it now: not if they end beyond its room or the system has no more memory */
  write(bytes: Uint8Array, position: number): boolean;
  /**
   * Fills all of the target.
   *
   * @throws RangeError if so many bytes aren't there
   */
  read(target: Uint8Array, position: number): void;
  /** Nothing is written or read any more, by whoever still holds it. */
  close(): void;
}

/**
 * Bytes; most photographs have less. They stay in memory for as long as the process lives and belong to neither side's
 * resident memory. Copying as many into it keeps the server for half a millisecond, 1.5 the first time.
 */
export const workerFileRoom = 4 * 1024 * 1024;

/** Bytes. Copying as many out of it, into memory that the system has yet to give, keeps the server for 0.8 ms. */
export const answerRoom = 1.5 * 1024 * 1024;

/** Memory on Linux, and writable where the root file system isn't; 64 MB in a container. */
const folder = '/dev/shm';

/** Undefined where the system has no such memory; then everything goes through the socket. */
export function createWorkerFile(inFolder = folder): WorkerFile | undefined {
  const path = `${inFolder}/image-worker-${crypto.randomUUID()}`;
  try {
    const fd = openSync(path, 'wx+', 0o600);
    unlinkSync(path);
    return workerFile(fd);
  } catch {
    return undefined;
  }
}

/**
 * The file that a process has inherited, or made.
 *
 * @param room - bytes that this side may write
 */
export function workerFile(fd: number, room = workerFileRoom): WorkerFile {
  let isOpen = true;
  return {
    fd,
    write(bytes, position) {
      if (!isOpen || position + bytes.length > room) return false;
      try {
        return writeSync(fd, bytes, 0, bytes.length, position) === bytes.length;
      } catch {
        return false;
      }
    },
    read(target, position) {
      // The number may be another file's by now.
      if (!isOpen) throw new RangeError('The file between server and worker is closed.');
      const read = readSync(fd, target, 0, target.length, position);
      if (read < target.length) throw new RangeError(`${read} of ${target.length} bytes are in the file.`);
    },
    close() {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}
