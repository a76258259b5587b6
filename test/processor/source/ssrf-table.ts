/*
 * URLs that lead to forbidden addresses. `PORT` is the port of a server on all addresses of this machine, so
 * that an allowed request arrives.
 */

/** The first and last address of every block, and well-known ones within. */
export const specialIpv4 = {
  'this network (RFC 791)': ['0.0.0.0', '0.0.0.1', '0.255.255.255'],
  'private use (RFC 1918)': [
    '10.0.0.0',
    '10.96.0.1',
    '10.255.255.255',
    '172.16.0.0',
    '172.17.0.1',
    '172.31.255.255',
  ],
  'private use, small networks (RFC 1918)': ['192.168.0.0', '192.168.1.1', '192.168.255.255'],
  'carriers (RFC 6598)': ['100.64.0.0', '100.100.100.200', '100.127.255.255'],
  'loopback (RFC 1122)': ['127.0.0.0', '127.0.0.1', '127.0.0.53', '127.255.255.255'],
  'link-local (RFC 3927)': ['169.254.0.0', '169.254.169.254', '169.254.170.2', '169.254.255.255'],
  'IETF protocols (RFC 6890)': [
    '192.0.0.0',
    '192.0.0.8',
    '192.0.0.9',
    '192.0.0.10',
    '192.0.0.170',
    '192.0.0.192',
    '192.0.0.255',
  ],
  'documentation (RFC 5737)': [
    '192.0.2.0',
    '192.0.2.255',
    '198.51.100.0',
    '198.51.100.255',
    '203.0.113.0',
    '203.0.113.255',
  ],
  'AS112 (RFC 7534, 7535)': ['192.31.196.0', '192.31.196.255', '192.175.48.0', '192.175.48.255'],
  'AMT (RFC 7450)': ['192.52.193.0', '192.52.193.255'],
  '6to4 relays (RFC 7526)': ['192.88.99.0', '192.88.99.2', '192.88.99.255'],
  'benchmarks (RFC 2544)': ['198.18.0.0', '198.19.255.255'],
  'multicast (RFC 5771)': ['224.0.0.0', '224.0.0.251', '239.255.255.250', '239.255.255.255'],
  'reserved (RFC 1112)': ['240.0.0.0', '255.255.255.254'],
  'broadcast (RFC 919)': ['255.255.255.255'],
  "a cloud's own, which looks public": ['168.63.129.16'],
} as const;

export const specialIpv6 = {
  'unspecified (RFC 4291)': ['::'],
  'loopback (RFC 4291)': ['::1'],
  'discard-only (RFC 6666)': ['100::', '100::ffff:ffff:ffff:ffff'],
  'dummy (RFC 9780)': ['100:0:0:1::', '100:0:0:1:ffff:ffff:ffff:ffff'],
  'IETF protocols (RFC 2928)': ['2001::', '2001:1::1', '2001:1::2', '2001:1::3', '2001:1ff:ffff::'],
  'benchmarks (RFC 5180)': ['2001:2::', '2001:2:0:ffff::'],
  'AMT (RFC 7450)': ['2001:3::', '2001:3:ffff::'],
  'AS112 (RFC 7534, 7535)': ['2001:4:112::', '2001:4:112:ffff::', '2620:4f:8000::', '2620:4f:8000:ffff::'],
  'ORCHID (RFC 4843, 7343)': ['2001:10::', '2001:1f:ffff::', '2001:20::', '2001:2f:ffff::'],
  'drone tags (RFC 9374)': ['2001:30::', '2001:3f:ffff::'],
  'documentation (RFC 3849, 9637)': ['2001:db8::', '2001:db8:ffff::', '3fff::', '3fff:fff:ffff::'],
  'segment routing (RFC 9602)': ['5f00::', '5f00:ffff::'],
  'unique local (RFC 4193)': ['fc00::', 'fd00:ec2::254', 'fd20:ce::254', 'fdff:ffff::'],
  'link-local (RFC 4291)': ['fe80::', 'fe80::1', 'fe80::a9fe:a9fe', 'febf:ffff::'],
  'site-local (RFC 3879)': ['fec0::', 'feff:ffff::'],
  'multicast (RFC 4291)': ['ff00::', 'ff02::1', 'ff02::fb', 'ff05::2', 'ffff:ffff::'],
  unassigned: ['1::', '200::1', '400::1', '1fff:ffff::', '4000::', 'a000::1', 'e000::1', 'fe00::1'],
} as const;

/** Ways to carry an IPv4 address, here as two hextets, in an IPv6 one. */
const carriers: Readonly<Record<string, (high: string, low: string) => string>> = {
  'IPv4-mapped': (high, low) => `::ffff:${high}:${low}`,
  'IPv4-mapped, in full': (high, low) => `0:0:0:0:0:FFFF:${high}:${low}`,
  'IPv4-compatible': (high, low) => `::${high}:${low}`,
  'IPv4-translated': (high, low) => `::ffff:0:${high}:${low}`,
  'NAT64 (RFC 6052)': (high, low) => `64:ff9b::${high}:${low}`,
  'NAT64 of local use, /96 (RFC 8215)': (high, low) => `64:ff9b:1::${high}:${low}`,
  'NAT64 of local use, /48': (high, low) =>
    `64:ff9b:1:${high}:${hextet(low.padStart(4, '0').slice(0, 2))}:${hextet(`${low.padStart(4, '0').slice(2)}00`)}::`,
  'NAT64 of local use, /64': (high, low) => {
    const [a, b] = [high.padStart(4, '0'), low.padStart(4, '0')];
    return `64:ff9b:1:fffe:${hextet(a.slice(0, 2))}:${hextet(a.slice(2) + b.slice(0, 2))}:${hextet(`${b.slice(2)}00`)}:0`;
  },
  '6to4 (RFC 3056)': (high, low) => `2002:${high}:${low}::1`,
  'Teredo, the server (RFC 4380)': (high, low) => `2001:0:${high}:${low}:8000:63bf:f7f7:f7f7`,
  'Teredo, the client, turned over': (high, low) => `2001:0:808:808:8000:63bf:${turned(high)}:${turned(low)}`,
  'ISATAP (RFC 5214)': (high, low) => `2400:cb00::5efe:${high}:${low}`,
  'ISATAP, of a global IPv4 address': (high, low) => `2400:cb00::200:5efe:${high}:${low}`,
  'ISATAP, with the bit for groups': (high, low) => `2400:cb00::100:5efe:${high}:${low}`,
  'ISATAP, with both bits': (high, low) => `2400:cb00::300:5efe:${high}:${low}`,
};

function hextet(digits: string): string {
  return Number.parseInt(digits, 16).toString(16);
}

function turned(text: string): string {
  return (0xffff ^ Number.parseInt(text, 16)).toString(16);
}

/** 127.0.0.1, 10.0.0.1 and 169.254.169.254. */
const carried = [
  ['7f00', '1'],
  ['a00', '1'],
  ['a9fe', 'a9fe'],
] as const;

export const ipv4InIpv6: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    Object.entries(carriers).map(([name, carry]) => [name, carried.map(([high, low]) => carry(high, low))]),
  ),
  'IPv4-mapped, with dots': ['::ffff:127.0.0.1', '::FFFF:169.254.169.254', '::ffff:0.0.0.0'],
  'a public IPv4 address in a form that no origin is published in': [
    '::ffff:8.8.8.8',
    '::8.8.8.8',
    '::ffff:0:8.8.8.8',
    '64:ff9b:1::8.8.8.8',
    '2002:808:808::1',
    '2400:cb00::5efe:8.8.8.8',
  ],
};

/** Other spellings of 127.0.0.1 and similar addresses, which the URL parser, the resolver or the system accepts. */
export const notations = {
  'short forms': ['127.1', '127.0.1', '10.1', '169.254.43518', '192.168.257', '0', '00'],
  decimal: ['2130706433', '167772161', '2852039166', '3232235777', '4294967295'],
  hexadecimal: [
    '0x7f000001',
    '0X7F000001',
    '0x7f.0x0.0x0.0x1',
    '0x7f.1',
    '0xa9fea9fe',
    '0xA9.0xFE.0xA9.0xFE',
    '0x0',
  ],
  octal: ['017700000001', '0177.0.0.1', '0177.1', '00000177.0.0.01', '0251.0376.0251.0376', '012.0.0.1'],
  'mixed bases': ['0177.0x0.00.01', '0x7f.0.1', '169.0376.0xa9fe', '0xa9.254.0251.254'],
  'a dot at the end': ['127.0.0.1.', '127.1.', '2130706433.', '0x7f000001.', 'localhost.', 'LOCALHOST.'],
  'full-width digits': ['１２７.０.０.１', '１２７．１', '２１３０７０６４３３', '０ｘ７ｆ.１'],
  'digits in circles': ['①②⑦.⓪.⓪.①', '①⑥⑨.②⑤④.①⑥⑨.②⑤④', '①⓪.⓪.⓪.①'],
  'other digits': ['𝟏𝟐𝟕.𝟎.𝟎.𝟏', '𝟙𝟚𝟟.𝟘.𝟘.𝟙', '¹²⁷.⁰.⁰.¹', '₁₂₇.₀.₀.₁'],
  'other dots': ['127。0。0。1', '127．0．0．1', '127｡0｡0｡1'],
  'letters for localhost': ['ⓛⓞⓒⓐⓛⓗⓞⓢⓣ', 'ｌｏｃａｌｈｏｓｔ', 'LoCaLhOsT', 'ᴸocalhost', 'localhoſt'],
  'what is not seen': [
    '12\u00AD7.0.0.1',
    '12\u200B7.0.0.1',
    '127.0.\u20600.1',
    'local\u00ADhost',
    '127.0.\t0.1',
    '127.0.0\n.1',
  ],
  'percent signs': [
    '%31%32%37.0.0.1',
    '127%2E0%2E0%2E1',
    'loc%61lhost',
    '%31%36%39.254.169.254',
    '%EF%BC%91%EF%BC%92%EF%BC%97.1',
  ],
} as const;

/** Complete URLs whose host is not the one that it seems to be. */
export const lookalikes = [
  'http:127.0.0.1:PORT/',
  'http:/127.0.0.1:PORT/',
  'http:///127.0.0.1:PORT/',
  'http:\\\\127.0.0.1:PORT\\',
  'http://127.0.0.1:PORT\\@8.8.8.8/',
  'http://127.0.0.1:PORT#@8.8.8.8/',
  'http://127.0.0.1:PORT?@8.8.8.8/',
  'http://127.0.0.1:PORT/@8.8.8.8/',
  'http://:@127.0.0.1:PORT/x@8.8.8.8',
  'http://127.0.0.1:00PORT/',
  ' http://127.0.0.1:PORT/ ',
  '\u0000http://127.0.0.1:PORT/',
  'ht\ntp://127.0.0.1:PORT/',
  'HTTP://127.0.0.1:PORT/',
] as const;

/** Refused as URLs, before any lookup. */
export const invalid = {
  'a user name, including that of a public host': [
    'http://8.8.8.8@127.0.0.1:PORT/',
    'http://8.8.8.8:80@127.0.0.1:PORT/',
    'http://images.example%40@127.0.0.1:PORT/',
    'http://127.0.0.1:PORT;@8.8.8.8/',
    'http://a:b@[::1]:PORT/',
    'http://127.0.0.1:PORT@8.8.8.8/',
  ],
  'no host that there can be': [
    'http://[::1%25lo]:PORT/',
    'http://[fe80::1%eth0]:PORT/',
    'http://[::1].:PORT/',
    'http://[::127.1]:PORT/',
    'http://[::ffff:0177.0.0.1]:PORT/',
    'http://256.0.0.1:PORT/',
    'http://127.0.0.256:PORT/',
    'http://127.0.0.0.1:PORT/',
    'http://0x100000001:PORT/',
    'http://127.0.0.1%00.images.example:PORT/',
    'http://127.0.0.1 .images.example:PORT/',
    'http://127.0.0.1:PORT:80/',
    'http://127.0.0.1:99999/',
    'http:// 127.0.0.1:PORT/',
    '//127.0.0.1:PORT/',
    '127.0.0.1:PORT/',
    '/etc/passwd',
  ],
} as const;

/** Refused for their scheme. */
export const otherSchemes = [
  'file:///etc/passwd',
  'file://127.0.0.1/etc/passwd',
  'ftp://127.0.0.1:PORT/',
  'gopher://127.0.0.1:PORT/_GET%20/',
  'dict://127.0.0.1:PORT/info',
  'ldap://127.0.0.1:PORT/',
  'ws://127.0.0.1:PORT/',
  'data:image/png;base64,AAAA',
  'javascript:fetch("http://127.0.0.1:PORT/")',
  'blob:http://127.0.0.1:PORT/x',
  'jar:http://127.0.0.1:PORT/!/x',
  'netdoc:///etc/passwd',
  'localhost:PORT',
  'view-source:http://127.0.0.1:PORT/',
] as const;

/** Targets of hostile redirects: this machine, or addresses internal to a cluster. */
export const redirectLocations = [
  'http://127.0.0.1:PORT/',
  '//127.0.0.1:PORT/',
  '\\\\127.0.0.1:PORT/',
  '/\\127.0.0.1:PORT/',
  'http:\\\\127.0.0.1:PORT/',
  'http://[::1]:PORT/',
  'http://[::ffff:7f00:1]:PORT/',
  'http://2130706433:PORT/',
  'http://0:PORT/',
  'http://①②⑦.⓪.⓪.①:PORT/',
  'http://inside.example:PORT/',
  'https://127.0.0.1:PORT/',
  'http://169.254.169.254/latest/meta-data/',
  'http://[fd00:ec2::254]/latest/meta-data/',
  'http://10.96.0.1/api/v1/secrets',
] as const;
