import { describe, expect, it } from 'vitest';
import { callerOfAddress, callerOfKey, parseAddress, readCaller, unknownCaller } from '../src/caller.ts';

describe(callerOfAddress, () => {
  it.each([
    ['192.0.2.7', 'ip:192.0.2.7'],
    ['::ffff:192.0.2.7', 'ip:192.0.2.7'],
    ['::1', 'ip:::/64'],
    ['2001:0DB8:0:1:2:3:4:5', 'ip:2001:db8:0:1::/64'],
    ['2001:db8:0:1:ffff::9', 'ip:2001:db8:0:1::/64'],
    ['fe80::1%eth0', 'ip:fe80::/64'],
  ])('names %s %s', (address, name) => {
    expect(callerOfAddress(parseAddress(address))).toBe(name);
    expect(readCaller(name)).toBe(name);
  });

  it.each(['', '192.0.2', '0x7f.1', '192.0.2.7:80', '[::1]', 'example.com'])(
    'takes %j for no address',
    (text) => {
      expect(callerOfAddress(parseAddress(text))).toBe(unknownCaller);
    },
  );
});

describe(readCaller, () => {
  it('distinguishes a key from the address that its id looks like', () => {
    expect(readCaller(callerOfKey('192.0.2.7'))).toBe('key:192.0.2.7');
    expect(readCaller(callerOfAddress(parseAddress('192.0.2.7')))).toBe('ip:192.0.2.7');
  });

  it.each([
    null,
    '',
    'team-a',
    'key:',
    `key:${'a'.repeat(65)}`,
    'key:a\r\nb',
    'key:a\u001b[2J',
    'ip:192.0.2.7 ',
    `ip:${'1'.repeat(100)}`,
  ])('takes %j for malformed', (text) => {
    expect(readCaller(text)).toBeUndefined();
  });
});
