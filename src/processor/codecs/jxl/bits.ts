/** Reads the bits of a JPEG XL codestream, lowest first (ISO/IEC 18181-1:2022, annex B). */
export interface BitReader {
  /** An unsigned number of `count` bits, at most 32. @throws RangeError past the end */
  bits(count: number): number;
  bool(): boolean;
  /** One of four numbers: U32 in B.2.2. */
  choice(...choices: readonly [Choice, Choice, Choice, Choice]): number;
  /** B.2.6. */
  enumeration(): number;
}

/** A number, or the number of bits that follow and an offset to add. */
export type Choice = number | { readonly bits: number; readonly offset: number };

export const plus = (bits: number, offset: number): Choice => ({ bits, offset });

export function createBitReader(bytes: Uint8Array): BitReader {
  let at = 0;
  function bits(count: number): number {
    let value = 0;
    for (let index = 0; index < count; index++, at++) {
      const byte = bytes[at >> 3];
      if (byte === undefined) throw new RangeError('the codestream ends within its header');
      value += ((byte >> (at & 7)) & 1) * 2 ** index;
    }
    return value;
  }
  function choice(...choices: readonly [Choice, Choice, Choice, Choice]): number {
    const chosen = choices[bits(2)] as Choice;
    return typeof chosen === 'number' ? chosen : bits(chosen.bits) + chosen.offset;
  }
  return {
    bits,
    choice,
    bool: () => bits(1) === 1,
    enumeration: () => choice(0, 1, plus(4, 2), plus(6, 18)),
  };
}
