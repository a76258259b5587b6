import { describe, expect, it } from 'vitest';
import { checkSource } from '../../../src/processor/codecs/check-source.ts';
import { defaultSource } from '../../../src/processor/image/default-source.ts';
import type { SourcePlan } from '../../../src/processor/image/plan.ts';
import { failureOf } from '../../support/failure.ts';

const otherwise = {
  page: 2,
  dpi: 72,
  pageBox: 'media',
  annotations: false,
  password: 'hunter2',
} as const satisfies SourcePlan;

describe(checkSource, () => {
  it.each(Object.keys(otherwise) as (keyof SourcePlan)[])('refuses %s for a picture', (option) => {
    const failure = failureOf(() => checkSource('jpeg', { ...defaultSource, [option]: otherwise[option] }));
    expect(failure?.reason).toBe('OPTION_INVALID');
    expect(failure?.metadata.option).toBe(`source_options.${option === 'pageBox' ? 'page_box' : option}`);
    expect(failure?.message).toContain('the image is JPEG');
    expect(JSON.stringify([failure?.message, failure?.metadata])).not.toContain('hunter2');
  });

  it('accepts the defaults for a picture', () => {
    expect(failureOf(() => checkSource('tiff', defaultSource))).toBeUndefined();
  });

  it('accepts every option for a document', () => {
    expect(failureOf(() => checkSource('pdf', otherwise))).toBeUndefined();
  });
});
