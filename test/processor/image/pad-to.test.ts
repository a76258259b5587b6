import { describe, expect, it } from 'vitest';
import { padTo } from '../../../src/processor/image/pad-to.ts';

describe('padTo', () => {
  const step = { kind: 'padTo', to: { width: 10, height: 8 }, at: 'centre' } as const;

  it('refuses an image that is larger than its padding, if the library does', () => {
    const refusing = { ...step, refusesLarger: true } as const;
    expect(() => padTo.checkInput?.(refusing, { width: 10, height: 9 })).toThrow(
      expect.objectContaining({
        reason: 'PADDED_SIZE_EXCEEDED',
        metadata: { limit: '10 × 8', actual: '10 × 9' },
      }),
    );
    expect(() => padTo.checkInput?.(refusing, { width: 10, height: 8 })).not.toThrow();
    expect(() => padTo.checkInput?.(step, { width: 10, height: 9 })).not.toThrow();
  });
});
