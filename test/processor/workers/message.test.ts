import { ftruncateSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { createWorkerFile, type WorkerFile } from '../../../src/processor/workers/file.ts';
import { createMessageReader, packMessage } from '../../../src/processor/workers/message.ts';

/** The messages read from a stream that arrives in pieces of `size` bytes. */
function received(bytes: Uint8Array, pieceLength: number, file?: WorkerFile): unknown[] {
  const reader = createMessageReader(file);
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
    const reader = createMessageReader(undefined, (length) => room.subarray(0, length));
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

describe.skipIf(process.platform !== 'linux')('a message with a file beside it', () => {
  let file: WorkerFile | undefined;
  afterEach(() => file?.close());

  function opened(): WorkerFile {
    file = createWorkerFile() as WorkerFile;
    return file;
  }

  const pattern = (length: number, first: number) =>
    Buffer.alloc(length, Buffer.of(first, first + 1, first + 2));

  it.each([
    ['no bytes', [0], 1],
    ['few', [5], 1],
    ['several megabytes', [3_000_000], 1],
    ['exactly its room', [4_194_304], 1],
    ['one byte more than its room', [4_194_305], 2],
    ['far more than its room', [6_000_000], 2],
    [
      'some that fit, one that does not, and one that fits after all',
      [3_000_000, 2_000_000, 0, 1_000_000],
      2,
    ],
  ])('carries %s', (_, lengths, parts) => {
    const file = opened();
    const value = lengths.map((length, index) => ({ content: pattern(length, index * 10) }));
    const packed = packMessage(value, file);
    expect(packed).toHaveLength(parts);
    const [read] = received(Buffer.concat(packed), 65_536, file) as [typeof value];
    expect(read.map(({ content }) => content.length)).toEqual(lengths);
    for (const [index, { content }] of read.entries()) {
      expect(content.equals(pattern(lengths[index] as number, index * 10))).toBe(true);
    }
  });

  it('is copied into separate memory, which the next message does not change', () => {
    const file = opened();
    const [first] = received(Buffer.concat(packMessage(Uint8Array.of(1, 2), file)), 1000, file);
    const [second] = received(Buffer.concat(packMessage(Uint8Array.of(3), file)), 1000, file);
    expect([...(first as Uint8Array)]).toEqual([1, 2]);
    expect([...(second as Uint8Array)]).toEqual([3]);
  });

  /** A message whose head states these lengths and positions of sections. */
  function claimed(...sections: readonly (readonly [length: number, place: number])[]): Buffer {
    const message = Buffer.concat(packMessage(sections.map(() => Uint8Array.of(1))));
    for (const [index, [length, place]] of sections.entries()) {
      message.writeDoubleLE(length, 8 + index * 16);
      message.writeDoubleLE(place, 16 + index * 16);
    }
    return message;
  }

  it('is read if its sections are at the stated positions', () => {
    const file = opened();
    writeSync(file.fd, Buffer.of(1, 2, 3), 0, 3, 0);
    const [value] = received(claimed([1, 0], [2, 1]), 1000, file);
    expect(plain(value)).toEqual([[1], [2, 3]]);
  });

  it.each<[string, ...(readonly [number, number])[]]>([
    ['begins before it', [2, -2]],
    ['is at no number', [2, Number.NaN]],
    ['begins within a byte', [1, 0], [2, 0.5]],
    ['begins where none has ended', [1, 0], [1, 2]],
    ['is another one, so that few bytes would be read many times', [2, 0], [2, 0]],
    ['has fewer than no bytes', [-1, 0]],
    ['has half a byte', [0.5, 0], [1, 0.5]],
    ['has no number of bytes', [Number.NaN, 0]],
    ['has endless bytes', [Number.POSITIVE_INFINITY, 0]],
    ['was never written', [200, 0]],
  ])('is refused if a section %s', (_, ...sections) => {
    const file = opened();
    writeSync(file.fd, Buffer.alloc(100), 0, 100, 0);
    expect(() => received(claimed(...sections), 1000, file)).toThrow(RangeError);
  });

  it('is refused if it exceeds the limit, however long the other side has made the file', () => {
    const file = opened();
    ftruncateSync(file.fd, 10_000_000);
    expect(received(claimed([4_000_000, 0], [194_304, 4_000_000]), 100_000, file)).toHaveLength(1);
    expect(() => received(claimed([4_194_305, 0]), 1000, file)).toThrow(RangeError);
    expect(() => received(claimed([4_000_000, 0], [194_305, 4_000_000]), 1000, file)).toThrow(RangeError);
  });

  it('is refused if there is no file', () => {
    expect(() => received(claimed([1, 0]), 1000)).toThrow('1 bytes at 0 of the file');
  });

  it('is refused if its head is too short for its sections, too long, or consists only of sections', () => {
    const short = Buffer.alloc(8);
    short.writeUInt32LE(31, 0);
    short.writeUInt32LE(2, 4);
    expect(() => received(short, 8)).toThrow('a head of 31 bytes for 2 sections');
    const long = Buffer.alloc(8);
    long.writeUInt32LE(16_777_217, 0);
    expect(() => received(long, 8)).toThrow('a head of 16777217 bytes for 0 sections');
    const many = Buffer.alloc(8);
    many.writeUInt32LE(1_000_000, 0);
    many.writeUInt32LE(1001, 4);
    expect(() => received(many, 8)).toThrow('a head of 1000000 bytes for 1001 sections');
  });
});
