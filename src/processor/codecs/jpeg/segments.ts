/**
 * Values stored for each pixel of a JPEG, on average: 1.5 in 4:2:0, 2 in 4:2:2. libvips calls both 4:2:0.
 *
 * @returns undefined where its frame isn't found
 */
export function readJpegSamplesPerPixel(content: Uint8Array): number | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const at = findJpegSegment(bytes, isFrame);
  if (at === undefined || at + 10 > bytes.length) return undefined;
  const count = bytes.readUInt8(at + 9);
  if (at + 10 + 3 * count > bytes.length) return undefined;
  return samplesOf(Array.from({ length: count }, (_, index) => bytes.readUInt8(at + 11 + 3 * index)));
}

/** SOF of any kind, and not what has a number between them: DHT, JPG and DAC. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/**
 * The place of the first segment of a kind. Padding and what else stands between segments isn't looked for.
 *
 * @returns of its marker; undefined where none is found
 */
export function findJpegSegment(bytes: Buffer, isWanted: (marker: number) => boolean): number | undefined {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    if (isWanted(bytes.readUInt8(at + 1))) return at;
  }
  return undefined;
}

/**
 * Values stored for each pixel, by the sampling factors of a frame's components (ITU-T T.81, A.1.1).
 *
 * @returns undefined for factors that there aren't
 */
export function samplesOf(samplings: readonly number[]): number | undefined {
  const factors = samplings.map((sampling) => [sampling >> 4, sampling & 15] as const);
  if (factors.length === 0 || !factors.flat().every(isFactor)) return undefined;
  const most = (axis: 0 | 1) => Math.max(...factors.map((each) => each[axis]));
  return factors.reduce((sum, [across, down]) => sum + across * down, 0) / (most(0) * most(1));
}

/** What a sampling factor may be. */
export function isFactor(value: number): boolean {
  return value >= 1 && value <= 4;
}
