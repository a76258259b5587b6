import { describe, expect, it } from 'vitest';
import { frameValue, unframeValue } from '../../../src/processor/cache/frame.ts';

const value = new Uint8Array([1, 2, 3]);

describe(unframeValue, () => {
  it('returns the framed value, including an empty one', () => {
    expect([...(unframeValue('a', frameValue('a', value)) ?? [])]).toEqual([1, 2, 3]);
    expect(unframeValue('a', frameValue('a', new Uint8Array()))).toHaveLength(0);
  });

  it('returns undefined for a frame that is cut off anywhere', () => {
    const framed = frameValue('a', value);
    for (let length = 0; length < framed.length; length += 1) {
      expect(unframeValue('a', framed.subarray(0, length))).toBeUndefined();
    }
  });

  it('returns undefined for a frame with any bit flipped', () => {
    for (let bit = 0; bit < 11 * 8; bit += 1) {
      const framed = frameValue('a', value);
      framed[bit >> 3] = (framed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(unframeValue('a', framed)).toBeUndefined();
    }
  });

  it("gives nothing for another key's frame", () => {
    expect(unframeValue('b', frameValue('a', value))).toBeUndefined();
  });
});

describe(frameValue, () => {
  it('has the same bytes in every release, because a change needs a new version byte', () => {
    // The checksum as Python's zlib.crc32(b'a\x01\x02\x03') gives it.
    expect(frameValue('a', value).toString('hex')).toBe('696d7201' + '08231675' + '010203');
  });
});
