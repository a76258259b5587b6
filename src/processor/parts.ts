import type { Plan } from './image/plan.ts';
import type { Outcome } from './outcome.ts';

/**
 * Calls `run` for each part of a source, with the items that read it, and returns the outcomes in the order of the
 * items. Of several parts, the failure of one is the outcome of its items only.
 *
 * @param run - `isOnly`: all items read the same part
 */
export async function ofEachPart<Item, Result>(
  items: readonly Item[],
  partOf: (item: Item) => Plan['source'],
  run: (items: readonly Item[], isOnly: boolean) => Promise<readonly Outcome<Result>[]>,
): Promise<readonly Outcome<Result>[]> {
  const parts = [...Map.groupBy(items, (item) => JSON.stringify(partOf(item))).values()];
  if (parts.length <= 1) return await run(items, true);
  const outcomes = new Map<Item, Outcome<Result>>();
  await Promise.all(
    parts.map(async (part) => {
      const made = await run(part, false).catch((error: unknown) => part.map(() => ({ error })));
      for (const [index, item] of part.entries()) outcomes.set(item, made[index] as Outcome<Result>);
    }),
  );
  return items.map((item) => outcomes.get(item) as Outcome<Result>);
}
