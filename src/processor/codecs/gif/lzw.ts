/** Codes have 12 bits at most (GIF89a, appendix F). */
const mostBits = 12;
const mostCodes = 2 ** mostBits;

/** Of each code: the code of all but its last colour, its first and its last colour, and how many there are. */
const prefixes = new Uint16Array(mostCodes);
const firsts = new Uint8Array(mostCodes);
const lasts = new Uint8Array(mostCodes);
const lengths = new Uint16Array(mostCodes);

/**
 * Undoes GIF's LZW, as Pillow's GifDecode.c does: until all pixels are there, also over the end of the blocks. A block
 * counts only if it is whole.
 *
 * @param start - offset of the byte that says the size of the codes, in bytes
 * @returns [pixels] uint8, colours' numbers; undefined where codes are damaged, end too early or are cut off
 */
export function readLzw(file: Buffer, start: number, pixels: number): Uint8Array | undefined {
  const bits = file[start] ?? 0;
  if (bits > mostBits - 1 || bits === 0) return undefined;
  const colours = new Uint8Array(pixels);
  const clear = 2 ** bits;
  for (let colour = 0; colour < clear; colour++) {
    firsts[colour] = colour;
    lasts[colour] = colour;
    lengths[colour] = 1;
  }
  let size = bits + 1;
  let next = clear + 2;
  let previous = -1;
  let at = start + 1;
  let blockEnd = at;
  let buffer = 0;
  let count = 0;
  let to = 0;
  while (to < pixels) {
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
    if (code === clear) {
      size = bits + 1;
      next = clear + 2;
      previous = -1;
      continue;
    }
    if (code === clear + 1 || code > (previous < 0 ? clear : next)) return undefined;
    if (previous >= 0 && next < mostCodes) {
      prefixes[next] = previous;
      firsts[next] = firsts[previous] as number;
      lasts[next] = firsts[code === next ? previous : code] as number;
      lengths[next] = (lengths[previous] as number) + 1;
      if (next === (1 << size) - 1 && size < mostBits) size++;
      next++;
    }
    const end = to + (lengths[code] as number);
    // What is behind the last pixel is left out: typed arrays take no more.
    for (let place = end - 1, rest = code; place >= to; place--) {
      colours[place] = lasts[rest] as number;
      rest = prefixes[rest] as number;
    }
    to = end;
    previous = code;
  }
  return colours;
}
