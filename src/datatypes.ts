/** A datatype in memory and in containers. */
export interface DatatypeForms {
  /** Bytes per value. */
  readonly bytes: number;
  /** Its name in safetensors. */
  readonly safetensors: string;
  /** Its descr in .npy files. Unset: NumPy has no such type. */
  readonly npy?: string;
}

/** The datatypes of tensors, by their names in the Open Inference Protocol. Values are little-endian. */
export const datatypes = {
  UINT8: { bytes: 1, safetensors: 'U8', npy: '|u1' },
  FP16: { bytes: 2, safetensors: 'F16', npy: '<f2' },
  BF16: { bytes: 2, safetensors: 'BF16' },
  FP32: { bytes: 4, safetensors: 'F32', npy: '<f4' },
} as const satisfies Record<string, DatatypeForms>;

export type DatatypeName = keyof typeof datatypes;
