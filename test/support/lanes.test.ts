import { globSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testLanes } from './lanes.ts';

const { unit, programs } = testLanes();

describe(testLanes, () => {
  it('puts each test file into exactly one lane', () => {
    expect([...unit, ...programs].sort()).toEqual(globSync('test/**/*.test.ts').sort());
  });

  it('keeps tests that start servers, browsers or workers out of the unit lane', () => {
    expect(programs).toEqual(
      expect.arrayContaining([
        'test/end-to-end/browser.test.ts',
        'test/processor/cache/redis-tier.test.ts',
        'test/processor/process-image.test.ts',
        'test/processor/workers/pool.test.ts',
      ]),
    );
  });

  it('keeps tests of plain functions in the unit lane', () => {
    expect(unit).toEqual(
      expect.arrayContaining(['test/failures.test.ts', 'test/processor/codecs/gif/gif.test.ts']),
    );
  });
});
