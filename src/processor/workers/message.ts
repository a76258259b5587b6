import { DefaultDeserializer, DefaultSerializer } from 'node:v8';
import { type WorkerFile, workerFileRoom } from './file.ts';

/*
 * The format of messages between the server and its worker processes:
 *
 *   prefix    4 bytes length of the head, 4 bytes number of sections, little endian
 *   head      8 bytes length and 8 bytes position of each section, then the value by V8's structured clone
 *   sections  the bytes of each Uint8Array in the value that is not in the shared file
 *
 * An image's bytes are copied neither into the message nor out of it. Each section is written directly from its array
 * and read into an array of its own, which shares its memory with nothing else.
 *
 * A job and its reply use the same positions of the file: a worker has read its job before it replies, and the server
 * reads a reply before it sends the next job.
 */

const prefixLength = 8;

/** Position of a section that follows the head. */
const inMessage = -1;

/** In bytes. A head contains a plan, the names and numbers of a reply or an error, never pixels. */
const longestHead = 16 * 1024 * 1024;

/** Far more than a job has outputs. Without the limit, a head full of empty sections would block the server. */
const mostSections = 1000;

/**
 * @param file - receives the sections that fit into it
 * @returns the parts to write, in this order. The value's own byte arrays are among them
 */
export function packMessage(value: unknown, file?: WorkerFile): readonly Uint8Array[] {
  const sections: Uint8Array[] = [];
  const serializer = Object.assign(new DefaultSerializer(), {
    // V8 asks for each array buffer view.
    _writeHostObject(view: unknown) {
      if (!(view instanceof Uint8Array)) throw new TypeError('only Uint8Array can be sent between processes');
      serializer.writeUint32(sections.push(view) - 1);
    },
  });
  serializer.writeHeader();
  serializer.writeValue(value);
  const clone = serializer.releaseBuffer();
  const table = sections.length * sectionEntry;
  const start = Buffer.allocUnsafe(prefixLength + table + clone.length);
  start.writeUInt32LE(table + clone.length, 0);
  start.writeUInt32LE(sections.length, 4);
  const places = placesOf(sections, file);
  sections.forEach(({ length }, index) => {
    start.writeDoubleLE(length, prefixLength + index * sectionEntry);
    start.writeDoubleLE(places[index] ?? inMessage, prefixLength + index * sectionEntry + 8);
  });
  start.set(clone, prefixLength + table);
  return [start, ...sections.filter(({ length }, index) => length > 0 && places[index] === inMessage)];
}

/** Bytes of a section's length and position. */
const sectionEntry = 16;

/** Writes the sections that fit into the file, one after the other. */
function placesOf(sections: readonly Uint8Array[], file: WorkerFile | undefined): readonly number[] {
  let end = 0;
  return sections.map((section) => {
    if (section.length === 0 || file?.write(section, end) !== true) return inMessage;
    const place = end;
    end += section.length;
    return place;
  });
}

/** The destination of the next bytes of a message. */
export interface MessageReader {
  /** The buffer to fill completely before `filled` is called. Never empty. */
  readonly target: Uint8Array;
  /**
   * @returns the message if this was its last part
   * @throws any error if the message does not follow the format above
   */
  filled(): { readonly value: unknown } | undefined;
}

/**
 * Reads one message after another.
 *
 * @param file - where the other side may have written sections
 * @param allocate - returns a buffer for a section of `length` bytes
 */
export function createMessageReader(
  file?: WorkerFile,
  allocate: (length: number) => Buffer = (length) => Buffer.allocUnsafeSlow(length),
): MessageReader {
  const prefix = Buffer.alloc(prefixLength);
  let target: Buffer = prefix;
  let sectionCount = 0;
  let head: Buffer | undefined;
  let sections: Buffer[] = [];
  let pending: Buffer[] = [];

  function afterPrefix(): void {
    sectionCount = prefix.readUInt32LE(4);
    const length = prefix.readUInt32LE(0);
    if (length > longestHead || sectionCount > mostSections || length < sectionCount * sectionEntry) {
      throw new RangeError(`a head of ${length} bytes for ${sectionCount} sections`);
    }
    target = Buffer.allocUnsafeSlow(length);
  }

  function afterHead(head: Buffer): void {
    pending = [];
    // Sections must be consecutive, as written, so that together they are no longer than the file.
    let end = 0;
    sections = Array.from({ length: sectionCount }, (_, index) => {
      const length = head.readDoubleLE(index * sectionEntry);
      const place = head.readDoubleLE(index * sectionEntry + 8);
      if (place === inMessage) {
        const section = allocate(length);
        if (length > 0) pending.push(section);
        return section;
      }
      end += length;
      if (file === undefined || place !== end - length || !(end <= workerFileRoom)) {
        throw new RangeError(`${length} bytes at ${place} of the file`);
      }
      const section = allocate(length);
      file.read(section, place);
      return section;
    });
  }

  function parse(head: Buffer): unknown {
    const deserializer = Object.assign(new DefaultDeserializer(head.subarray(sectionCount * sectionEntry)), {
      _readHostObject: () => sections[deserializer.readUint32()],
    });
    deserializer.readHeader();
    return deserializer.readValue();
  }

  return {
    get target() {
      return target;
    },
    filled() {
      if (target === prefix) {
        afterPrefix();
        return undefined;
      }
      if (head === undefined) {
        head = target;
        afterHead(head);
      }
      const next = pending.shift();
      if (next !== undefined) {
        target = next;
        return undefined;
      }
      const message = { value: parse(head) };
      target = prefix;
      head = undefined;
      sections = [];
      return message;
    },
  };
}
