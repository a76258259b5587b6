import type { ExtraKind } from './extra.ts';

/** A number that the model's config determines, for each image: [1]. */
export interface ConstantExtra {
  readonly kind: 'constant';
  /** A whole number. */
  readonly value: number;
}

export const constant: ExtraKind<ConstantExtra> = {
  inWords: ({ value }) => String(value),
  datatype: () => 'INT64',
  batchRule: () => 'concatenate',
  shape: () => [1],
  values: ({ value }) => [value],
};
