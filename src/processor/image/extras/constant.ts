import type { DatatypeName } from '../../../datatypes.ts';
import type { ExtraKind } from './extra.ts';

/** A number that the model's config determines, for each image: [1]. */
export interface ConstantExtra {
  readonly kind: 'constant';
  /** A whole number. */
  readonly value: number;
  /** Unset: `INT64`. */
  readonly datatype?: Extract<DatatypeName, 'BOOL' | 'INT64'> | undefined;
}

export const constant: ExtraKind<ConstantExtra> = {
  inWords: ({ value }) => String(value),
  datatype: ({ datatype = 'INT64' }) => datatype,
  batchRule: () => 'concatenate',
  shape: () => [1],
  values: ({ value }) => [value],
};
