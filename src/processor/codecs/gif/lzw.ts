/** Codes have 12 bits at most (GIF89a, appendix F). */
const mostBits = 12;
const mostCodes = 2 ** mostBits;

/** For each code: the code of all but its last colour, its first and its last colour, and the number of colours. */
const prefixes = new Uint16Array(mostCodes);
const firsts = new Uint8Array(mostCodes);
const lasts = new Uint8Array(mostCodes);
const lengths = new Uint16Array(mostCodes);

/**
 * Decodes GIF's LZW as Pillow's GifDecode.c does: until all pixels are decoded, even past the end of the blocks. A
 * block counts only if it is complete.
 *
 * @param start - offset of the byte that states the size of the codes, in bytes
 * @returns [pixels] uint8, indexes of colours; undefined if codes are damaged, end too early or are cut off
 */
export function readLzw(file: Buffer, start: number, pixels: number): Uint8Array | undefined {
  const bits = file[start] ?? 0;
  if (bits > mostBits - 1 || bits === 0) return undefined;
  const colours = new Uint8Array(pixels);
  const clear = 2 ** bits;
  addColours(clear);
  let size = bits + 1;
  let next = clear + 2;
  let previous = -1;
  const codes = createCodeReader(file, start + 1);
  let to = 0;
  while (to < pixels) {
    const code = codes.read(size);
    if (code === undefined) return undefined;
    if (code === clear) {
      size = bits + 1;
      next = clear + 2;
      previous = -1;
      continue;
    }
    if (code === clear + 1 || code > (previous < 0 ? clear : next)) return undefined;
    if (previous >= 0 && next < mostCodes) {
      addCode(next, previous, code === next ? previous : code);
      if (next === (1 << size) - 1 && size < mostBits) size++;
      next++;
    }
    to = writeColours(colours, to, code);
    previous = code;
  }
  return colours;
}

/** Reads codes from the sub-blocks that begin at the offset `start`, lowest bits first. */
function createCodeReader(file: Buffer, start: number) {
  let at = start;
  let blockEnd = at;
  let buffer = 0;
  let count = 0;
  return {
    /** The next code, of `size` bits; undefined if the file ends before the block does. */
    read(size: number): number | undefined {
      while (count < size) {
        if (at === blockEnd) {
          const length = file[at];
          if (length === undefined || at + 1 + length > file.length) return undefined;
          at++;
          blockEnd = at + length;
        } else {
          buffer |= (file[at++] as number) << count;
          count += 8;
        }
      }
      const code = buffer & ((1 << size) - 1);
      buffer >>>= size;
      count -= size;
      return code;
    },
  };
}

/** Adds the codes that stand for one colour each. */
function addColours(count: number): void {
  for (let colour = 0; colour < count; colour++) {
    firsts[colour] = colour;
    lasts[colour] = colour;
    lengths[colour] = 1;
  }
}

/** Adds `code` for the colours of `prefix` followed by the first colour of `last`. */
function addCode(code: number, prefix: number, last: number): void {
  prefixes[code] = prefix;
  firsts[code] = firsts[prefix] as number;
  lasts[code] = firsts[last] as number;
  lengths[code] = (lengths[prefix] as number) + 1;
}

/**
 * Writes the colours of `code` from the offset `to` on. Colours past the end of `colours` are dropped: typed arrays
 * ignore writes past their end.
 *
 * @returns the offset after the last colour
 */
function writeColours(colours: Uint8Array, to: number, code: number): number {
  const end = to + (lengths[code] as number);
  let rest = code;
  for (let place = end - 1; place >= to; place--) {
    colours[place] = lasts[rest] as number;
    rest = prefixes[rest] as number;
  }
  return end;
}
