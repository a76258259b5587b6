import { describe, expect, it } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { checkSize } from '../../../src/processor/codecs/check-size.ts';
import { codecOf, sourceFormats } from '../../../src/processor/codecs/codecs.ts';

function refusal(...parameters: Parameters<typeof checkSize>): Failure | undefined {
  try {
    checkSize(...parameters);
    return undefined;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
}

describe(checkSize, () => {
  it.each(sourceFormats)('tells callers with too large a source in %s what they can change', (format) => {
    const isDocument = codecOf(format).isDocument === true;
    const source = isDocument ? 'The page has' : 'The image has';
    const area = refusal({ format, width: 3, height: 4 }, 11);
    expect(area).toMatchObject({
      reason: 'SOURCE_PIXELS_OVER_LIMIT',
      metadata: { limit: '11', actual: '12' },
    });
    const side = refusal({ format, width: 1, height: 2 ** 24 + 1 }, 2 ** 25);
    expect(side?.metadata).toMatchObject({ limit: '16777216', actual: '16777217' });
    for (const failure of [area, side]) {
      expect(failure?.message.startsWith(source)).toBe(true);
      expect(failure?.message.includes('Ask for a lower dpi.')).toBe(isDocument);
    }
  });

  it('accepts a source that is as large as the limits', () => {
    expect(refusal({ format: 'pdf', width: 3, height: 4 }, 12)).toBeUndefined();
    expect(refusal({ format: 'png', width: 2 ** 24, height: 1 }, 2 ** 24)).toBeUndefined();
  });
});
