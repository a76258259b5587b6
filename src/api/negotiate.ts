import { parseAccept } from 'hono/utils/accept';
import type { ApiContext } from './context.ts';

/**
 * The media type of a response that has several representations: the one with the largest weight in `Accept` (RFC 9110,
 * 12.5.1), the first of `types` among equals. A request that accepts none of them gets the first as well. The response
 * varies by `Accept`.
 *
 * @param types - in lower case, the preferred one first
 */
export function negotiate<Type extends string>(c: ApiContext, types: readonly [Type, ...Type[]]): Type {
  c.header('Vary', 'Accept', { append: true });
  const accepted = parseAccept(c.req.header('accept') ?? '').map(({ type, q }) => ({
    range: type.toLowerCase(),
    q,
  }));
  const weightOf = (type: string): number => {
    const ranges = [type, type.replace(/\/.*/, '/*'), '*/*'];
    const closest = ranges.find((range) => accepted.some((one) => one.range === range));
    return accepted.find(({ range }) => range === closest)?.q ?? 0;
  };
  return types.reduce((best, type) => (weightOf(type) > weightOf(best) ? type : best));
}
