import { DefaultDeserializer, DefaultSerializer } from 'node:v8';

/*
 * How values travel between the server and its worker processes:
 *
 *   prefix    4 bytes length of the head, 4 bytes number of sections, little endian
 *   head      8 bytes length of each section, then the value by V8's structured clone
 *   sections  the bytes of each Uint8Array in the value
 *
 * The bytes of an image are neither copied into the message nor out of it: each section is written from the
 * array that it is, and read into an array of its own, which nothing else keeps in memory.
 */

export const prefixLength = 8;

/** @returns what is to be written, in this order; the value's own byte arrays are among it */
export function packMessage(value: unknown): readonly Uint8Array[] {
  const sections: Uint8Array[] = [];
  const serializer = Object.assign(new DefaultSerializer(), {
    // V8 asks for each array buffer view.
    _writeHostObject(view: unknown) {
      if (!(view instanceof Uint8Array)) throw new TypeError('only Uint8Array travels between processes');
      serializer.writeUint32(sections.push(view) - 1);
    },
  });
  serializer.writeHeader();
  serializer.writeValue(value);
  const clone = serializer.releaseBuffer();
  const lengths = sections.length * 8;
  const start = Buffer.allocUnsafe(prefixLength + lengths + clone.length);
  start.writeUInt32LE(lengths + clone.length, 0);
  start.writeUInt32LE(sections.length, 4);
  sections.forEach(({ length }, index) => {
    start.writeDoubleLE(length, prefixLength + index * 8);
  });
  start.set(clone, prefixLength + lengths);
  return [start, ...sections.filter(({ length }) => length > 0)];
}

/** Where the next bytes of a message belong, until there are none. */
export interface MessageReader {
  /** To be filled from its start to its end, then `filled` is told. Never empty. */
  readonly target: Uint8Array;
  /** @returns the message, if this was its last part */
  filled(): { readonly value: unknown } | undefined;
}

/**
 * Reads one message after the other.
 *
 * @param allocate - makes room for a section of so many bytes
 */
export function createMessageReader(
  allocate: (length: number) => Buffer = (length) => Buffer.allocUnsafeSlow(length),
): MessageReader {
  const prefix = Buffer.alloc(prefixLength);
  let target: Buffer = prefix;
  let sectionCount = 0;
  let head: Buffer | undefined;
  let sections: Buffer[] = [];
  let wanted: Buffer[] = [];

  function afterPrefix(): void {
    sectionCount = prefix.readUInt32LE(4);
    target = Buffer.allocUnsafeSlow(prefix.readUInt32LE(0));
  }

  function afterHead(head: Buffer): void {
    sections = Array.from({ length: sectionCount }, (_, index) => allocate(head.readDoubleLE(index * 8)));
    wanted = sections.filter(({ length }) => length > 0);
  }

  function parse(head: Buffer): unknown {
    const deserializer = Object.assign(new DefaultDeserializer(head.subarray(sectionCount * 8)), {
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
      const next = wanted.shift();
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
