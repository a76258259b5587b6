import { hash } from 'node:crypto';

/** The shapes and the SHA-256 of the values of a safetensors file, by name. */
export function tensorsOfSafetensors(file: Buffer): Record<string, { shape: number[]; sha256: string }> {
  const start = 8 + Number(file.readBigUInt64LE(0));
  const header: Record<string, { shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    file.subarray(8, start).toString(),
  );
  return Object.fromEntries(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            shape,
            data_offsets: [from, to],
          },
        ]) => [name, { shape, sha256: hash('sha256', file.subarray(start + from, start + to)) }],
      ),
  );
}
