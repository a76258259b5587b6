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
  FP64: { bytes: 8, safetensors: 'F64', npy: '<f8' },
  BOOL: { bytes: 1, safetensors: 'BOOL', npy: '|b1' },
  INT8: { bytes: 1, safetensors: 'I8', npy: '|i1' },
  INT16: { bytes: 2, safetensors: 'I16', npy: '<i2' },
  UINT16: { bytes: 2, safetensors: 'U16', npy: '<u2' },
  INT32: { bytes: 4, safetensors: 'I32', npy: '<i4' },
  INT64: { bytes: 8, safetensors: 'I64', npy: '<i8' },
} as const satisfies Record<string, DatatypeForms>;

export type DatatypeName = keyof typeof datatypes;

/** The datatypes of pixels, which a request may choose. The others are those of masks, grids and sizes, and of tensors
 * that are compared. */
export type PixelDatatype = Extract<DatatypeName, 'UINT8' | 'FP16' | 'BF16' | 'FP32'>;
