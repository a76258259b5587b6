import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';

/**
 * Memory that the server and one worker process share, as a file without a name. Data is copied once into it and once
 * out of it. A socket would carry the data in pieces, and each side would wait for the other between two of them.
 *
 * The file is not mapped: if the peer truncates a mapped file, reading past its end raises SIGBUS.
 */
export interface WorkerFile {
  readonly fd: number;
  /** @returns whether all bytes were written: false if they end beyond the file's room or if no memory is left */
  write(bytes: Uint8Array, position: number): boolean;
  /**
   * Fills all of the target.
   *
   * @throws RangeError if the file has fewer bytes
   */
  read(target: Uint8Array, position: number): void;
  /** Closes this side's descriptor. Later calls on this object write and read nothing. */
  close(): void;
}

/**
 * In bytes; most photographs are smaller. The memory is kept as long as the process runs and is in neither side's
 * resident memory. Copying this much into it blocks the server for half a millisecond, 1.5 ms the first time.
 */
export const workerFileRoom = 4 * 1024 * 1024;

/** In bytes. Copying this much out of the file, into memory that is not mapped yet, blocks the server for 0.8 ms. */
export const replyRoom = 1.5 * 1024 * 1024;

/** tmpfs on Linux. It is writable even if the root file system is not; in a container it has 64 MB. */
const folder = '/dev/shm';

/** Undefined if the system has no such folder; all data then goes through the socket. */
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
 * Wraps the descriptor of a file that the process has inherited or created.
 *
 * @param room - limit for writes by this side, in bytes
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
      // After close, the descriptor's number may belong to another file.
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
