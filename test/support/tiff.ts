/** A TIFF file made entry by entry, so that a test can contain values that no library writes. */

export interface TiffParts {
  readonly width: number;
  readonly height: number;
  /** 262. */
  readonly photometric: number | undefined;
  /** Bits of each sample of a pixel. */
  readonly bits: readonly number[];
  /** The only strip of the picture; or tiles, from left to right and from top to bottom. */
  readonly data: Uint8Array | readonly Uint8Array[];
  /** Side of a tile, pixels; unset: one strip. */
  readonly tile?: number;
  /** 259; 1 is none. */
  readonly compression?: number;
  /** Other tags, with their values as SHORTs. */
  readonly tags?: Readonly<Record<number, readonly number[]>>;
  readonly order?: 'II' | 'MM';
  readonly isBig?: boolean;
}

type Entry = readonly [tag: number, type: number, values: readonly number[]];

/** One image; its directory follows its pixels. */
export function tiffFile({ data, order = 'II', isBig = false, ...parts }: TiffParts): Buffer {
  const pieces = data instanceof Uint8Array ? [data] : data;
  const writer = createWriter(order, isBig);
  const headerBytes = isBig ? 16 : 8;
  const offsets: number[] = [];
  let at = headerBytes;
  for (const piece of pieces) {
    offsets.push(at);
    at += piece.length;
  }
  const entries = entriesOf(
    parts,
    offsets,
    pieces.map((piece) => piece.length),
  );
  return Buffer.concat([writer.header(at), ...pieces, writer.directory(entries, at)]);
}

function entriesOf(
  { width, height, photometric, bits, tile, compression = 1, tags = {} }: Omit<TiffParts, 'data'>,
  offsets: readonly number[],
  lengths: readonly number[],
): Entry[] {
  const entries: Entry[] = [
    [256, 3, [width]],
    [257, 3, [height]],
    [258, 3, bits],
    [259, 3, [compression]],
    ...(photometric === undefined ? [] : [[262, 3, [photometric]] as const]),
    [277, 3, [bits.length]],
    ...(tile === undefined
      ? ([
          [273, 4, offsets],
          [278, 4, [height]],
          [279, 4, lengths],
        ] as const)
      : ([
          [322, 3, [tile]],
          [323, 3, [tile]],
          [324, 4, offsets],
          [325, 4, lengths],
        ] as const)),
    ...Object.entries(tags).map(([tag, values]): Entry => [Number(tag), 3, values]),
  ];
  return entries.sort(([a], [b]) => a - b);
}

function createWriter(order: 'II' | 'MM', isBig: boolean) {
  const number = (value: number, bytes: number): Buffer => {
    const buffer = Buffer.alloc(8);
    if (order === 'II') {
      buffer.writeBigUInt64LE(BigInt(value));
      return buffer.subarray(0, bytes);
    }
    buffer.writeBigUInt64BE(BigInt(value));
    return buffer.subarray(8 - bytes);
  };
  const offsetBytes = isBig ? 8 : 4;
  return {
    header: (directory: number) =>
      Buffer.concat([
        Buffer.from(order),
        number(isBig ? 43 : 42, 2),
        ...(isBig ? [number(8, 2), number(0, 2)] : []),
        number(directory, offsetBytes),
      ]),
    directory: (entries: readonly Entry[], at: number) => {
      let valuesAt = at + (isBig ? 8 : 2) + entries.length * (isBig ? 20 : 12) + offsetBytes;
      const outOfPlace: Buffer[] = [];
      const packed = entries.map(([tag, type, values]) => {
        const body = Buffer.concat(values.map((value) => number(value, type === 3 ? 2 : 4)));
        const head = [number(tag, 2), number(type, 2), number(values.length, offsetBytes)];
        if (body.length <= offsetBytes) {
          return Buffer.concat([...head, body, Buffer.alloc(offsetBytes - body.length)]);
        }
        outOfPlace.push(body);
        valuesAt += body.length;
        return Buffer.concat([...head, number(valuesAt - body.length, offsetBytes)]);
      });
      return Buffer.concat([
        number(entries.length, isBig ? 8 : 2),
        ...packed,
        number(0, offsetBytes),
        ...outOfPlace,
      ]);
    },
  };
}
