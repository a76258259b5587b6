import { describe, expect, it } from 'vitest';
import { canonicalLink, checkLink, linkSecretsFile, signLink } from '../../../src/api/auth/signed-links.ts';

const path = '/v1/images';
const secret = 'a secret of some thirty-odd characters';
const secrets = [
  { id: 'old', secret: 'another secret, which was there before' },
  { id: 'new', secret },
];

describe(canonicalLink, () => {
  it.each([
    ['url=https://a.example/b.jpg&expires=5', '/v1/images?expires=5&url=https%3A%2F%2Fa.example%2Fb.jpg'],
    ['b=2&a=1&signature=x&c=3', '/v1/images?a=1&b=2&c=3'],
    ['a=2&a=10&a=1', '/v1/images?a=1&a=10&a=2'],
    ['a=b+c&d=%20', '/v1/images?a=b%20c&d=%20'],
    ["a=-._~!'()*", '/v1/images?a=-._~%21%27%28%29%2A'],
    ['ä=€', '/v1/images?%C3%A4=%E2%82%AC'],
    ['a&b=', '/v1/images?a=&b='],
    ['a=b%26c%3Dd', '/v1/images?a=b%26c%3Dd'],
  ])('of ?%s is %s', (query, canonical) => {
    expect(canonicalLink(path, new URLSearchParams(query))).toBe(canonical);
  });
});

describe(signLink, () => {
  it('is HMAC-SHA-256 in base64url', () => {
    // printf %s '/v1/images?expires=5&url=x' | openssl dgst -sha256 -hmac "$secret" -binary | basenc --base64url
    expect(signLink(secret, path, new URLSearchParams('url=x&expires=5'))).toBe(
      'Ttx8pkDJ-bNRNkZDjszo0hPpTKjBs_ZO9NaTMdvihvk',
    );
  });
});

describe(checkLink, () => {
  const signed = (query: string, by = secret): URLSearchParams => {
    const parameters = new URLSearchParams(query);
    parameters.set('signature', signLink(by, path, parameters));
    return parameters;
  };
  const check = (query: URLSearchParams, at = path, nowMs = 999_999) =>
    checkLink(secrets, at, query, nowMs).secret.id;
  const reason = (query: URLSearchParams, at = path, nowMs = 999_999): string => {
    try {
      return check(query, at, nowMs);
    } catch (error) {
      return (error as { reason: string }).reason;
    }
  };

  it('returns the secret that the link was signed with, even an old one', () => {
    expect(check(signed('url=x&expires=1000'))).toBe('new');
    expect(check(signed('url=x&expires=1000', 'another secret, which was there before'))).toBe('old');
  });

  it('is valid for every spelling and order of the same parameters', () => {
    const signature = signed('url=https://a.example/b c&expires=1000').get('signature');
    expect(
      check(new URLSearchParams(`signature=${signature}&expires=%31000&url=https%3a//a.example/b%20c`)),
    ).toBe('new');
  });

  it('expires at the second that it names', () => {
    const link = signed('url=x&expires=1000');
    expect(reason(link, path, 999_999)).toBe('new');
    expect(reason(link, path, 1_000_000)).toBe('LINK_EXPIRED');
  });

  it.each([
    ['another parameter', (link: URLSearchParams) => link.set('url', 'y')],
    ['one parameter more', (link: URLSearchParams) => link.append('width', '5')],
    ['the same parameter twice', (link: URLSearchParams) => link.append('url', 'x')],
    ['one parameter less', (link: URLSearchParams) => link.delete('width')],
    ['a later end', (link: URLSearchParams) => link.set('expires', '2000')],
    ['no end', (link: URLSearchParams) => link.delete('expires')],
    ['a second end', (link: URLSearchParams) => link.append('expires', '2000')],
    ['no signature', (link: URLSearchParams) => link.set('signature', '')],
    ['two signatures', (link: URLSearchParams) => link.append('signature', link.get('signature') ?? '')],
    ['padding', (link: URLSearchParams) => link.set('signature', `${link.get('signature')}=`)],
    [
      'a signature cut off',
      (link: URLSearchParams) => link.set('signature', link.get('signature')?.slice(1) ?? ''),
    ],
    ['a signature of the right length', (link: URLSearchParams) => link.set('signature', 'A'.repeat(43))],
  ])('does not hold with %s', (_words, change) => {
    const link = signed('url=x&width=7&expires=1000');
    expect(reason(link)).toBe('new');
    change(link);
    expect(reason(link)).toBe('SIGNATURE_INVALID');
  });

  it('is invalid for another path, and with a secret that is not in the file', () => {
    expect(reason(signed('url=x&expires=1000'), '/v1/other')).toBe('SIGNATURE_INVALID');
    expect(reason(signed('url=x&expires=1000', 'a secret that was taken out of the file'))).toBe(
      'SIGNATURE_INVALID',
    );
  });

  it.each(['', '-1', '1e9', '0x10', '1000.5', ' 1000', 'tomorrow', '9'.repeat(13)])(
    'does not hold when what was signed is to end at %j',
    (expires) => {
      expect(reason(signed(`url=x&expires=${encodeURIComponent(expires)}`))).toBe('SIGNATURE_INVALID');
    },
  );
});

describe('linkSecretsFile', () => {
  it('refuses a secret that is short enough to be guessed, and duplicate ids', () => {
    const takes = (value: unknown): boolean => linkSecretsFile.safeParse(value).success;
    expect(takes({ secrets })).toBe(true);
    expect(takes({ secrets: [{ id: 'a', secret: 'x'.repeat(31) }] })).toBe(false);
    expect(takes({ secrets: [...secrets, { id: 'old', secret }] })).toBe(false);
  });
});
