import { Failure } from '../../../failures.ts';

/** A TENSOR_INVALID. @param metadata - `limit` and `actual`, where there are any */
export function tensorInvalid(
  message: string,
  metadata: Readonly<Record<string, number | string>> = {},
): Failure {
  return new Failure('TENSOR_INVALID', message, metadata);
}
