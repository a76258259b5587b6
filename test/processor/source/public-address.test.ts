import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { isPublicAddress } from '../../../src/processor/source/public-address.ts';

/** A name and its addresses. */
type Table = readonly (readonly [string, ...string[]])[];

/** The first and last addresses of every special range, and well-known ones inside. */
const specialIpv4: Table = [
  ['this network', '0.0.0.0', '0.0.0.1', '0.255.255.255'],
  ['private', '10.0.0.0', '10.0.0.1', '10.255.255.255'],
  ['carriers', '100.64.0.0', '100.100.100.200', '100.127.255.255'],
  ['loopback', '127.0.0.0', '127.0.0.1', '127.0.1.1', '127.255.255.255'],
  ['link-local', '169.254.0.0', '169.254.169.254', '169.254.170.2', '169.254.255.255'],
  ['private', '172.16.0.0', '172.17.0.1', '172.31.255.255'],
  ['IETF protocols', '192.0.0.0', '192.0.0.8', '192.0.0.170', '192.0.0.192', '192.0.0.255'],
  ['TEST-NET-1', '192.0.2.0', '192.0.2.255'],
  ['AS112', '192.31.196.0', '192.31.196.255', '192.175.48.0', '192.175.48.255'],
  ['AMT', '192.52.193.0', '192.52.193.255'],
  ['6to4 relays', '192.88.99.0', '192.88.99.1', '192.88.99.255'],
  ['private', '192.168.0.0', '192.168.1.1', '192.168.255.255'],
  ['benchmarking', '198.18.0.0', '198.19.255.255'],
  ['TEST-NET-2', '198.51.100.0', '198.51.100.255'],
  ['TEST-NET-3', '203.0.113.0', '203.0.113.255'],
  ['multicast', '224.0.0.0', '224.0.0.1', '239.255.255.255'],
  ['reserved', '240.0.0.0', '254.255.255.255'],
  ['broadcast', '255.255.255.255'],
  ['a cloud of virtual machines', '168.63.129.16'],
];

const specialIpv6: Table = [
  ['unspecified', '::'],
  ['loopback', '::1', '0:0:0:0:0:0:0:1'],
  ['discard-only', '100::', '100::ffff:ffff:ffff:ffff'],
  ['dummy', '100:0:0:1::', '100:0:0:1:ffff:ffff:ffff:ffff'],
  [
    'outside of global unicast',
    '1::',
    '200::1',
    '1fff:ffff::',
    '4000::',
    '8000::1',
    'fbff:ffff::1',
    'fe00::1',
  ],
  ['IETF protocols', '2001::', '2001:1::1', '2001:2::1', '2001:3::1', '2001:4:112::1', '2001:1ff:ffff::1'],
  ['ORCHID', '2001:10::1', '2001:1f:ffff::1', '2001:20::1', '2001:2f:ffff::1'],
  ['drones', '2001:30::1', '2001:3f:ffff::1'],
  ['documentation', '2001:db8::', '2001:db8:ffff:ffff:ffff:ffff:ffff:ffff', '3fff::', '3fff:fff:ffff::1'],
  ['AS112', '2620:4f:8000::', '2620:4f:8000:ffff:ffff:ffff:ffff:ffff'],
  ['SRv6', '5f00::', '5f00:ffff::1'],
  ['unique local', 'fc00::', 'fd00::1', 'fd00:ec2::254', 'fdff:ffff::1'],
  ['link-local', 'fe80::', 'fe80::1', 'fe80::a9fe:a9fe', 'febf:ffff::1'],
  ['site-local', 'fec0::', 'fec0::1', 'feff:ffff::1'],
  ['multicast', 'ff00::', 'ff02::1', 'ff0e::1', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'],
];

const ipv4InIpv6: Table = [
  [
    'IPv4-mapped',
    '::ffff:127.0.0.1',
    '::ffff:7f00:1',
    '::FFFF:10.0.0.1',
    '::ffff:169.254.169.254',
    '::ffff:0.0.0.0',
  ],
  ['IPv4-mapped, though public inside', '::ffff:8.8.8.8', '0:0:0:0:0:ffff:808:808'],
  ['IPv4-compatible', '::127.0.0.1', '::7f00:1', '::10.0.0.1', '::a9fe:a9fe', '::8.8.8.8'],
  ['IPv4-translated', '::ffff:0:127.0.0.1', '::ffff:0:a00:1', '::ffff:0:8.8.8.8'],
  [
    'NAT64',
    '64:ff9b::127.0.0.1',
    '64:ff9b::7f00:1',
    '64:ff9b::10.0.0.1',
    '64:ff9b::169.254.169.254',
    '64:ff9b::0.0.0.0',
  ],
  ['NAT64 beside its prefix', '64:ff9b:0:0:0:1:808:808', '64:ff9b:0:1::808:808', '64:ff9c::808:808'],
  [
    'local-use NAT64',
    '64:ff9b:1::',
    '64:ff9b:1::10.0.0.1',
    '64:ff9b:1:ffff::8.8.8.8',
    '64:ff9b:1:7f00:0:100::',
  ],
  [
    '6to4',
    '2002::',
    '2002:7f00:1::1',
    '2002:a00:1::',
    '2002:a9fe:a9fe::1',
    '2002:c0a8:101::1',
    '2002:808:808::1',
  ],
  ['Teredo', '2001:0:4136:e378:8000:63bf:80ff:fffe', '2001:0:808:808:0:0:f7f7:f7f7', '2001::f5ff:fffe'],
  [
    'ISATAP',
    '2400:cb00::5efe:10.0.0.1',
    '2400:cb00::200:5efe:7f00:1',
    '2400:cb00::100:5efe:7f00:1',
    '2400:cb00::300:5efe:7f00:1',
    'fe80::5efe:c0a8:101',
    '2600::5efe:8.8.8.8',
  ],
];

const notAddresses: Table = [
  ['zones', 'fe80::1%eth0', '::1%lo', '2606:4700::1111%eth0', '2606:4700::1111%25eth0'],
  [
    'other notations',
    '2130706433',
    '0x7f000001',
    '0177.0.0.1',
    '127.1',
    '8.8.8',
    '010.8.8.8',
    '08.8.8.8',
    '8.8.8.8.',
  ],
  ['names', 'localhost', 'example.com', 'ip6-localhost'],
  ['what a URL puts around', '[::1]', '8.8.8.8:80', '8.8.8.8/32', '[2606:4700::1111]'],
  [
    'nonsense',
    '',
    ' ',
    ' 8.8.8.8',
    '8.8.8.8 ',
    '256.1.1.1',
    '1.2.3',
    ':::',
    '1::2::3',
    '8.8.8.8\0',
    '８.８.８.８',
  ],
];

/** Public, many of them next to a special range. */
const publicAddresses = [
  ['1.0.0.0', '1.1.1.1', '8.8.8.8', '9.255.255.255', '11.0.0.0', '93.184.215.14'],
  ['100.63.255.255', '100.128.0.0', '126.255.255.255', '128.0.0.0', '168.63.129.15', '168.63.129.17'],
  ['169.253.255.255', '169.255.0.0', '172.15.255.255', '172.32.0.0', '191.255.255.255', '192.0.1.0'],
  ['192.0.3.0', '192.88.98.255', '192.88.100.0', '192.167.255.255', '192.169.0.0', '198.17.255.255'],
  ['198.20.0.0', '198.51.99.255', '198.51.101.0', '203.0.112.255', '203.0.114.0', '223.255.255.255'],
  ['2000::', '2001:200::1', '2001:4860:4860::8888', '2001:db7:ffff::1', '2001:db9::1', '2003::1'],
  ['2606:4700:4700::1111', '2620:4f:7fff::1', '2620:4f:8001::1', '2A00:1450:4001:81B::2004', '3ffe:ffff::1'],
  // An IPv6-only cluster reaches 8.8.8.8 and 93.184.215.14 in this form.
  ['64:ff9b::808:808', '64:ff9b::93.184.215.14', '0064:FF9B:0:0:0:0:0808:0808'],
].flat();

describe(isPublicAddress, () => {
  it.each([...specialIpv4, ...specialIpv6, ...ipv4InIpv6])('refuses %s', (_name, ...addresses) => {
    expect(addresses.filter((address) => isPublicAddress(address))).toEqual([]);
  });

  it.each(notAddresses)('refuses text that is no plain IP address: %s', (_name, ...texts) => {
    expect(texts.filter((text) => isPublicAddress(text))).toEqual([]);
  });

  it('accepts public addresses, including those next to a special range', () => {
    expect(publicAddresses.filter((address) => !isPublicAddress(address))).toEqual([]);
  });

  it('accepts no address in a special range of ipaddr.js', () => {
    // Hextets of special prefixes, so that random addresses fall on both sides of them.
    const telling = [0, 1, 2, 3, 4, 0x10, 0x20, 0x30, 0x4f, 0x64, 0x112, 0x1ff, 0x200, 0xdb8, 0xfff]
      .concat([0x1000, 0x2001, 0x2002, 0x2620, 0x3fff, 0x5efe, 0x5f00, 0x8000, 0xff9b])
      .concat([0xfc00, 0xfe80, 0xfec0, 0xff02, 0xffff]);
    const hextet = fc.oneof(fc.constantFrom(...telling), fc.nat(0xffff));
    const ipv6 = fc
      .array(hextet, { minLength: 8, maxLength: 8 })
      .map((hextets) => hextets.map((value) => value.toString(16)).join(':'));
    const octet = fc.oneof(fc.constantFrom(0, 10, 100, 127, 169, 172, 192, 198, 203, 254), fc.nat(255));
    const ipv4 = fc.array(octet, { minLength: 4, maxLength: 4 }).map((octets) => octets.join('.'));
    fc.assert(
      fc.property(fc.oneof(ipv4, ipv6), (address) => {
        // rfc6052 is NAT64, which is checked by the IPv4 address inside.
        const unremarkable = ['unicast', 'rfc6052'].includes(ipaddr.parse(address).range());
        return unremarkable || !isPublicAddress(address);
      }),
      { numRuns: 5000 },
    );
  });
});
