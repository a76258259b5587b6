import { describe, expect, it } from 'vitest';
import { createMessageReader, packMessage } from '../../../src/processor/workers/message.ts';

/** The messages read from a stream that arrives in pieces of `size` bytes. */
function received(bytes: Uint8Array, pieceLength: number): unknown[] {
  const reader = createMessageReader();
  const values: unknown[] = [];
  let filled = 0;
  for (let at = 0; at < bytes.length; at += pieceLength) {
    for (const byte of bytes.subarray(at, at + pieceLength)) {
      reader.target[filled++] = byte;
      if (filled < reader.target.length) continue;
      filled = 0;
      const message = reader.filled();
      if (message !== undefined) values.push(message.value);
    }
  }
  return values;
}

/** Converts byte arrays to lists: those that arrive are Buffers, which never equal a Uint8Array. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_, part) => (part?.type === 'Buffer' ? part.data : part)));

describe(packMessage, () => {
  it.each([
    ['nothing', {}],
    ['a text', 'naïve'],
    ['bytes', Buffer.of(1, 2, 3)],
    ['no bytes', { content: Buffer.of() }],
    ['bytes anywhere', { a: [{ content: Buffer.of(5), name: 'x' }, Buffer.of()], b: Buffer.of(6, 7) }],
  ])('carries %s', (_, value) => {
    expect(received(Buffer.concat(packMessage(value)), 1).map(plain)).toEqual([plain(value)]);
  });

  it('reads one message after another, wherever the stream is split', () => {
    const messages = [{ content: Uint8Array.of(1, 2) }, { number: 3 }, { content: Uint8Array.of(4) }];
    const bytes = Buffer.concat(messages.flatMap((message) => packMessage(message)));
    for (const pieceLength of [1, 7, 8, 1000]) {
      expect(received(bytes, pieceLength).map(plain)).toEqual([
        { content: [1, 2] },
        { number: 3 },
        { content: [4] },
      ]);
    }
  });

  it('preserves an error and its class', () => {
    const [value] = received(Buffer.concat(packMessage({ bug: new RangeError('too far') })), 1000);
    expect((value as { bug: unknown }).bug).toBeInstanceOf(RangeError);
  });

  it('writes byte arrays without copying them', () => {
    const content = Uint8Array.of(1, 2, 3, 4).subarray(1, 3);
    const [, section] = packMessage({ content });
    expect(section).toBe(content);
  });

  it('refuses other typed arrays, which would arrive as bytes', () => {
    expect(() => packMessage({ mean: new Float32Array(3) })).toThrow('only Uint8Array');
  });
});

describe(createMessageReader, () => {
  it('reads each array into separate memory', () => {
    const value = { first: Uint8Array.of(1), second: Uint8Array.of(2, 3) };
    const [read] = received(Buffer.concat(packMessage(value)), 1000) as [typeof value];
    expect(read.first.buffer.byteLength).toBe(1);
    expect(read.second.buffer.byteLength).toBe(2);
  });

  it('reads into the buffer that it is given', () => {
    const room = Buffer.alloc(100);
    const reader = createMessageReader((length) => room.subarray(0, length));
    const [start, section] = packMessage(Uint8Array.of(8, 9)) as [Uint8Array, Uint8Array];
    reader.target.set(start.subarray(0, 8));
    reader.filled();
    reader.target.set(start.subarray(8));
    reader.filled();
    reader.target.set(section);
    expect(reader.filled()).toBeDefined();
    expect([...room.subarray(0, 3)]).toEqual([8, 9, 0]);
  });

  it('refuses a head that is too short for its sections, too long, or has too many sections', () => {
    expect(() => received(prefix(15, 2), 8)).toThrow('a head of 15 bytes for 2 sections');
    expect(() => received(prefix(16_777_217, 0), 8)).toThrow('a head of 16777217 bytes for 0 sections');
    expect(() => received(prefix(1_000_000, 1001), 8)).toThrow('a head of 1000000 bytes for 1001 sections');
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY])('refuses a section of %d bytes', (length) => {
    const message = Buffer.concat(packMessage(Uint8Array.of(1)));
    message.writeDoubleLE(length, 8);
    expect(() => received(message, 1000)).toThrow(RangeError);
  });
});

/** The first bytes of a message that states these numbers. */
function prefix(headLength: number, sections: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(headLength, 0);
  bytes.writeUInt32LE(sections, 4);
  return bytes;
}
