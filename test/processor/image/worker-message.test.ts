import { describe, expect, it } from 'vitest';
import { createMessageReader, packMessage } from '../../../src/processor/image/worker-message.ts';

/** What arrives of messages that travel in pieces of so many bytes. */
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

/** With lists for arrays of bytes: those that arrive are Buffers, which are no others' equals. */
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

  it('carries one message after the other, wherever they are cut', () => {
    const messages = [{ content: Uint8Array.of(1, 2) }, { number: 3 }, { content: Uint8Array.of(4) }];
    const bytes = Buffer.concat(messages.flatMap(packMessage));
    for (const pieceLength of [1, 7, 8, 1000]) {
      expect(received(bytes, pieceLength).map(plain)).toEqual([
        { content: [1, 2] },
        { number: 3 },
        { content: [4] },
      ]);
    }
  });

  it('carries an error as one, with its class', () => {
    const [value] = received(Buffer.concat(packMessage({ bug: new RangeError('too far') })), 1000);
    expect((value as { bug: unknown }).bug).toBeInstanceOf(RangeError);
  });

  it('writes the bytes from where they are', () => {
    const content = Uint8Array.of(1, 2, 3, 4).subarray(1, 3);
    const [, section] = packMessage({ content });
    expect(section).toBe(content);
  });

  it('takes no other array: it would arrive as bytes', () => {
    expect(() => packMessage({ mean: new Float32Array(3) })).toThrow('only Uint8Array');
  });
});

describe(createMessageReader, () => {
  it('reads each array into memory of its own', () => {
    const value = { first: Uint8Array.of(1), second: Uint8Array.of(2, 3) };
    const [read] = received(Buffer.concat(packMessage(value)), 1000) as [typeof value];
    expect(read.first.buffer.byteLength).toBe(1);
    expect(read.second.buffer.byteLength).toBe(2);
  });

  it('reads into the room that it is given', () => {
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
});
