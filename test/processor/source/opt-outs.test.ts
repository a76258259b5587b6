import { describe, expect, it } from 'vitest';
import { optOutOf } from '../../../src/processor/source/opt-outs.ts';

const agent = 'Image-Processor/1.0 (ops@example.com)';

describe(optOutOf, () => {
  it.each([
    ['noai', 'noai'],
    ['noimageai', 'noimageai'],
    ['in capitals, among others', 'noindex, NoAI'],
    ['for every agent by name', '*: noai'],
    ['for this agent, whatever its case', 'image-processor: noimageai'],
    ['for this agent, not the first directive', 'image-processor: noarchive, noai'],
    ['for this agent after another one', 'otherbot: noindex, image-processor: noai'],
    ['after a directive with a value', 'max-image-preview: large, noai'],
    ['after a date with colons', 'unavailable_after: 25 Jun 2030 15:00:00 PST, noai'],
    ['in a line of its own', ['otherbot: nofollow', 'noai']],
  ])('finds X-Robots-Tag: %s', (_words, value) => {
    const line = typeof value === 'string' ? value : 'noai';
    expect(optOutOf({ 'x-robots-tag': value }, agent)).toBe(`X-Robots-Tag: ${line}`);
  });

  it.each([
    ['no header', undefined],
    ['other directives', 'noindex, nofollow, noimageindex'],
    ['a name that only contains noai', 'noairline, x-noai'],
    ['another agent', 'otherbot: noai'],
    ['another agent, not the first directive', 'otherbot: noindex, noai, noimageai'],
    ['an agent whose name begins with this one', 'image-processor-2: noai'],
    ['an empty line', ''],
  ])('finds nothing in X-Robots-Tag: %s', (_words, value) => {
    expect(optOutOf({ 'x-robots-tag': value }, agent)).toBeUndefined();
  });

  it('finds TDM-Reservation: 1, and no other value of it', () => {
    expect(optOutOf({ 'tdm-reservation': ' 1 ' }, agent)).toBe('TDM-Reservation: 1');
    expect(optOutOf({ 'tdm-reservation': '0' }, agent)).toBeUndefined();
    expect(optOutOf({ 'tdm-policy': 'https://images.example/policy' }, agent)).toBeUndefined();
  });
});
