import { describe, expect, it } from 'vitest';
import { type OwnBytes, release } from '../src/own-bytes.ts';

describe('release', () => {
  it('empties the bytes and every view of them', () => {
    const bytes = new Uint8Array(1000) as OwnBytes;
    const view = bytes.subarray(10, 20);
    release(bytes);
    expect([bytes.length, view.length]).toEqual([0, 0]);
  });

  it('does not release a part of a larger buffer', () => {
    const whole = new Uint8Array(1000).fill(7);
    release(whole.subarray(0, 999) as Uint8Array as OwnBytes);
    expect(whole[500]).toBe(7);
  });

  it('accepts bytes that are empty already', () => {
    const bytes = new Uint8Array(8) as OwnBytes;
    release(bytes);
    expect(() => release(bytes)).not.toThrow();
  });
});
