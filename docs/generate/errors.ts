import { failureTexts } from '../../src/api/problems/failure-texts.ts';
import { failureKinds, grpcCode, isFailureReason } from '../../src/failures.ts';
import { code, table } from './markdown.ts';

/* The table of docs/errors.md, out of the table of failures and of the texts that `/problems` shows. */

const codeNames = new Map(Object.entries(grpcCode).map(([name, number]) => [number as number, name]));

export function reasonTable(): string {
  const rows = Object.keys(failureKinds)
    .filter(isFailureReason)
    .map((reason) => {
      const kind = failureKinds[reason];
      const { meaning, advice } = failureTexts[reason];
      return [
        code(reason),
        String(kind.status),
        codeNames.get(kind.code) ?? '',
        meaning,
        advice,
        kind.isRetryable ? 'yes' : 'no',
      ];
    });
  return table(['reason', 'HTTP', 'gRPC', 'means', 'what to do', 'retryable'], rows);
}
