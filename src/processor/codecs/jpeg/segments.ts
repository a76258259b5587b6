/**
 * Values stored for each pixel of a JPEG, on average: 1.5 in 4:2:0, 2 in 4:2:2. libvips calls both 4:2:0.
 *
 * @returns undefined if its frame is not found
 */
export function readJpegSamplesPerPixel(content: Uint8Array): number | undefined {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.length);
  const at = findJpegSegment(bytes, isFrame);
  if (at === undefined || at + 10 > bytes.length) return undefined;
  const count = bytes.readUInt8(at + 9);
  if (at + 10 + 3 * count > bytes.length) return undefined;
  return samplesOf(Array.from({ length: count }, (_, index) => bytes.readUInt8(at + 11 + 3 * index)));
}

/** SOF of any kind. DHT, JPG and DAC have numbers in the same range and are excluded. */
export function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/**
 * Finds the first segment of a kind. Does not search through padding or other bytes between segments.
 *
 * @returns the offset of its marker; undefined if none is found
 */
export function findJpegSegment(bytes: Buffer, isWanted: (marker: number) => boolean): number | undefined {
  for (let at = 2; at + 4 <= bytes.length && bytes[at] === 0xff; at += 2 + bytes.readUInt16BE(at + 2)) {
    if (isWanted(bytes.readUInt8(at + 1))) return at;
  }
  return undefined;
}

/**
 * Values stored per pixel, from the sampling factors of a frame's components (ITU-T T.81, A.1.1).
 *
 * @returns undefined for invalid factors
 */
export function samplesOf(samplings: readonly number[]): number | undefined {
  const factors = samplings.map((sampling) => [sampling >> 4, sampling & 15] as const);
  if (factors.length === 0 || !factors.flat().every(isFactor)) return undefined;
  const most = (axis: 0 | 1) => Math.max(...factors.map((each) => each[axis]));
  return factors.reduce((sum, [across, down]) => sum + across * down, 0) / (most(0) * most(1));
}

/** Whether a sampling factor is allowed. */
export function isFactor(value: number): boolean {
  return value >= 1 && value <= 4;
}
