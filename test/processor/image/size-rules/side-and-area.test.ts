import { describe, expect, it } from 'vitest';
import { sideAndArea } from '../../../../src/processor/image/size-rules/side-and-area.ts';

describe('sideAndArea', () => {
  it('rounds the sides up where rounding them leaves too few pixels', () => {
    const rule = { kind: 'sideAndArea', pixels: { min: 5000, max: 30_000 } } as const;
    expect(sideAndArea.size(rule, { width: 7, height: 3 })).toEqual({ width: 109, height: 47 });
  });
});
