import { DefaultDeserializer, DefaultSerializer } from 'node:v8';

/*
 * The format of messages between the server and its worker processes:
 *
 *   prefix    4 bytes length of the head, 4 bytes number of sections, little endian
 *   head      8 bytes length of each section, then the value by V8's structured clone
 *   sections  the bytes of each Uint8Array in the value
 *
 * An image's bytes are copied neither into the message nor out of it. Each section is written directly from its array
 * and read into an array of its own, which shares its memory with nothing else.
 */

/** A job of every role, without a result: the worker gives memory back, because nothing has come for a while. */
export const restJob = 'rest';

const prefixLength = 8;

/** Bytes of a section's length. */
const sectionEntry = 8;

/** In bytes. A head contains a plan, the names and numbers of a reply or an error, never pixels. */
const longestHead = 16 * 1024 * 1024;

/** Far more than a job has outputs. Without the limit, a head full of empty sections would block the server. */
const mostSections = 1000;

/** @returns the parts to write, in this order. The value's own byte arrays are among them */
export function packMessage(value: unknown): readonly Uint8Array[] {
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
  for (const [index, { length }] of sections.entries()) {
    start.writeDoubleLE(length, prefixLength + index * sectionEntry);
  }
  start.set(clone, prefixLength + table);
  return [start, ...sections.filter(({ length }) => length > 0)];
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
 * @param allocate - returns a buffer for a section of `length` bytes
 */
export function createMessageReader(
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
    sections = Array.from({ length: sectionCount }, (_, index) =>
      allocate(head.readDoubleLE(index * sectionEntry)),
    );
    pending = sections.filter(({ length }) => length > 0);
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
