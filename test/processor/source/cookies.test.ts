import { describe, expect, it } from 'vitest';
import { createCookies } from '../../../src/processor/source/cookies.ts';

/** The Cookie header for `to` after `from` has set cookies. */
function sentTo(to: string, from: string, ...setCookies: string[]): string | undefined {
  const cookies = createCookies();
  cookies.keep(new URL(from), setCookies);
  return cookies.headerFor(new URL(to));
}

describe(createCookies, () => {
  it.each([
    ['https://a.example/x/y', ['s=1'], 's=1'],
    ['https://a.example/x/', ['s=1'], 's=1'],
    ['https://a.example/other', ['s=1'], undefined],
    ['https://a.example/xy', ['s=1; Path=/x'], undefined],
    ['https://a.example/other', ['s=1; Path=/'], 's=1'],
    ['https://a.example:8443/x/y', ['s=1'], 's=1'],
    ['http://a.example/x/y', ['s=1'], 's=1'],
    ['http://a.example/x/y', ['s=1; Secure'], undefined],
    ['https://b.example/x/y', ['s=1; Path=/'], undefined],
    ['https://sub.a.example/x/y', ['s=1; Path=/; Domain=a.example'], undefined],
    ['https://example/x/y', ['s=1; Path=/; Domain=example'], undefined],
    ['https://a.example/x/y', ['s=1', 't=2; Path=/'], 's=1; t=2'],
    ['https://a.example/x/y', ['s=1', 's=2'], 's=2'],
    ['https://a.example/x/y', ['s=1', 's=; Max-Age=0'], undefined],
    ['https://a.example/x/y', ['s=1; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], undefined],
    ['https://a.example/x/y', ['s=1; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT'], 's=1'],
    ['https://a.example/x/y', [`s=${'1'.repeat(5000)}`], undefined],
  ])('sends to %s the cookies that /x/ of a.example set as %j: %s', (to, setCookies, header) => {
    expect(sentTo(to, 'https://a.example/x/first', ...setCookies)).toBe(header);
  });

  it('holds no more than 50', () => {
    const many = Array.from({ length: 200 }, (_, i) => `c${i}=1`);
    const cookies = createCookies();
    const url = new URL('https://a.example/');
    for (let i = 0; i < 4; i++) cookies.keep(url, many.slice(i * 50));
    expect(cookies.headerFor(url)?.split('; ').length).toBe(50);
  });
});
