import { describe, expect, it } from 'vitest';
import { jsonDepth } from '../../../src/grpc/messages/json-depth.ts';

describe(jsonDepth, () => {
  it.each([
    ['1', 0],
    ['{}', 1],
    ['[{"a":[]},{"b":{}}]', 3],
    ['{"[[[":"]\\"{{{"}', 1],
    ['['.repeat(10_000), 10_000],
  ])('of %s is %i', (json, depth) => {
    expect(jsonDepth(json)).toBe(depth);
  });
});
