import { describe, expect, it } from 'vitest';
import { endAfter } from '../../src/telemetry/rpc-spans.ts';

async function* numbers() {
  yield 1;
  yield 2;
}

async function readAll<Message>(messages: AsyncIterable<Message>): Promise<Message[]> {
  const read: Message[] = [];
  for await (const message of messages) read.push(message);
  return read;
}

describe(endAfter, () => {
  it('ends after the last message, without an error', async () => {
    const ends: unknown[] = [];
    const read: number[] = [];
    for await (const message of endAfter(numbers(), undefined, (error) => ends.push(error))) {
      expect(ends).toEqual([]);
      read.push(message);
    }
    expect(read).toEqual([1, 2]);
    expect(ends).toEqual([undefined]);
  });

  it('ends with the error of the messages, which is passed on to their reader', async () => {
    const ends: unknown[] = [];
    const lost = new Error('lost');
    const failing = async function* () {
      yield 1;
      throw lost;
    };
    const reading = readAll(endAfter(failing(), undefined, (error) => ends.push(error)));
    await expect(reading).rejects.toBe(lost);
    expect(ends).toEqual([lost]);
  });

  it('ends when the reader leaves, and not again if the messages are read on', async () => {
    const ends: unknown[] = [];
    const leaving = new AbortController();
    const messages = endAfter(numbers(), leaving.signal, (error) => ends.push(error));
    leaving.abort('gone');
    expect(ends).toEqual(['gone']);
    expect(await readAll(messages)).toEqual([1, 2]);
    expect(ends).toEqual(['gone']);
  });

  it('does not end again when the signal aborts after the last message', async () => {
    const ends: unknown[] = [];
    const leaving = new AbortController();
    await readAll(endAfter(numbers(), leaving.signal, (error) => ends.push(error)));
    leaving.abort('gone');
    expect(ends).toEqual([undefined]);
  });

  it('ends at once for a reader that has left before', () => {
    const ends: unknown[] = [];
    endAfter(numbers(), AbortSignal.abort('gone'), (error) => ends.push(error));
    expect(ends).toEqual(['gone']);
  });
});
