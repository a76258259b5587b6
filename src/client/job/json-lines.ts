import { imageMembers, type JobFailure, type JobImage, type Skipped } from './images.ts';
import type { Plan } from './plan.ts';

/** The object that `job --json` prints at the end of a run. The names are stable; docs/cli.md describes each. */
export interface JobSummary {
  /** The output folder, absolute. */
  readonly output: string;
  /** Images that this run had to do. */
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  /** Images whose outputs were up to date. */
  readonly done_already: number;
  /** Skipped files by kind. */
  readonly skipped: Readonly<Record<string, number>>;
  readonly seconds: number;
  /** The path of failures.jsonl; null without failures. */
  readonly failures: string | null;
}

/** The number of skipped files by kind. */
export function skippedByKind(skipped: readonly Skipped[]): Record<string, number> {
  const kinds = Map.groupBy(skipped, ({ kind }) => kind);
  return Object.fromEntries([...kinds].map(([kind, { length }]) => [kind, length]));
}

/** A line of `job --dry-run --json`. */
export type PlannedLine =
  | {
      readonly action: 'do' | 'replace' | 'done';
      readonly source: string;
      readonly page?: number;
      readonly output: string;
    }
  | ({ readonly action: 'refuse' } & JobFailure)
  | { readonly action: 'skip'; readonly source: string; readonly kind: string };

/** The lines of a plan. */
export function* plannedLines({ images, replacing, done, refused, skipped }: Plan): Generator<PlannedLine> {
  const line = (action: 'do' | 'replace' | 'done', image: JobImage) => ({
    action,
    ...imageMembers(image),
    output: image.output,
  });
  for (const image of images) yield line(replacing.has(image) ? 'replace' : 'do', image);
  for (const { image } of done) yield line('done', image);
  for (const failure of refused) yield { action: 'refuse', ...failure };
  for (const { path, kind } of skipped) yield { action: 'skip', source: path, kind };
}
