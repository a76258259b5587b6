import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * IPv4 addresses that no public origin has: the whole IANA IPv4 Special-Purpose Address Registry, also the
 * blocks there that are "globally reachable" (they serve routing, not pictures), and three that are listed
 * elsewhere.
 */
const specialIpv4 = [
  '0.0.0.0/8', // "This network" (RFC 791); Linux connects 0.0.0.0 to the machine itself
  '10.0.0.0/8', // Private-Use (RFC 1918)
  '100.64.0.0/10', // Shared Address Space of carriers (RFC 6598); 100.100.100.200 is a cloud's metadata
  '127.0.0.0/8', // Loopback (RFC 1122)
  '169.254.0.0/16', // Link Local (RFC 3927); 169.254.169.254 is most clouds' metadata
  '172.16.0.0/12', // Private-Use (RFC 1918)
  '192.0.0.0/24', // IETF Protocol Assignments (RFC 6890), DS-Lite, NAT64 discovery, …
  '192.0.2.0/24', // Documentation, TEST-NET-1 (RFC 5737)
  '192.31.196.0/24', // AS112-v4 (RFC 7535)
  '192.52.193.0/24', // AMT (RFC 7450)
  '192.88.99.0/24', // Deprecated 6to4 Relay Anycast (RFC 7526)
  '192.168.0.0/16', // Private-Use (RFC 1918)
  '192.175.48.0/24', // Direct Delegation AS112 Service (RFC 7534)
  '198.18.0.0/15', // Benchmarking (RFC 2544)
  '198.51.100.0/24', // Documentation, TEST-NET-2 (RFC 5737)
  '203.0.113.0/24', // Documentation, TEST-NET-3 (RFC 5737)
  '240.0.0.0/4', // Reserved (RFC 1112), with Limited Broadcast 255.255.255.255 (RFC 919)
  '224.0.0.0/4', // IANA IPv4 Multicast Address Space Registry (RFC 5771)
  // In no registry: Azure serves its virtual machines on this address, which looks public.
  '168.63.129.16/32',
].map((range) => ipaddr.IPv4.parseCIDR(range));

/**
 * The only IPv6 space that IANA assigns as global unicast (IPv6 Address Space Registry). Addresses outside of it need
 * no line of their own: :: and ::1 (RFC 4291), IPv4-mapped ::ffff:0:0/96, IPv4-compatible ::/96, IPv4-translated
 * ::ffff:0:0:0/96 (RFC 2765), local-use NAT64 64:ff9b:1::/48 (RFC 8215),
 * discard-only 100::/64 and dummy 100:0:0:1::/64 (RFC 6666, 9780), SRv6 5f00::/16 (RFC 9602), unique
 * local fc00::/7 (RFC 4193), link-local fe80::/10, site-local fec0::/10 (RFC 3879), multicast ff00::/8.
 *
 * So an IPv4 address embedded in one of these is refused even if that IPv4 address is public: no public origin is
 * published in such a form, and the host that it reaches depends on the machine.
 */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/** The ranges of 2000::/3 in the IANA IPv6 Special-Purpose Address Registry. */
const specialIpv6 = [
  // IETF Protocol Assignments (RFC 2928), with Teredo 2001::/32 (RFC 4380), benchmarking 2001:2::/48
  // (RFC 5180), AMT 2001:3::/32, AS112-v6 2001:4:112::/48, ORCHID 2001:10::/28 (RFC 4843), ORCHIDv2
  // 2001:20::/28 (RFC 7343) and drone tags 2001:30::/28 (RFC 9374). Teredo carries an IPv4 address, but
  // its relays have been shut down: no public host is reached that way.
  '2001::/23',
  '2001:db8::/32', // Documentation (RFC 3849)
  '2002::/16', // 6to4 (RFC 3056), IPv4 inside; relays deprecated (RFC 7526), so refused whatever is inside
  '2620:4f:8000::/48', // Direct Delegation AS112 Service (RFC 7534)
  '3fff::/20', // Documentation (RFC 9637)
].map((range) => ipaddr.IPv6.parseCIDR(range));

/**
 * IPv4-IPv6 translation (RFC 6052), checked by the IPv4 address in the last 32 bits: an IPv6-only cluster reaches every
 * public IPv4 origin by this prefix (DNS64).
 */
const nat64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * Whether the lower half of an address is ISATAP's, which tunnels to an IPv4 host of a site: 000000ug 00000000 and
 * 0x5efe, with the bits u (global) and g (group) either way (RFC 5214, 6.1).
 */
function isIsatap({ parts: [, , , , first = 0, second] }: ipaddr.IPv6): boolean {
  return (first & 0xfcff) === 0 && second === 0x5efe;
}

function isPublicIpv4(address: ipaddr.IPv4): boolean {
  return !specialIpv4.some((range) => address.match(range));
}

function isPublicIpv6(address: ipaddr.IPv6): boolean {
  if (address.match(nat64)) return isPublicIpv4(new ipaddr.IPv4(address.toByteArray().slice(12)));
  return (
    address.match(globalUnicast) && !isIsatap(address) && !specialIpv6.some((range) => address.match(range))
  );
}

/**
 * Whether an IP address may belong to a public origin. Everything that isn't an IP address in its usual
 * form isn't public: ipaddr.js also reads octal, hexadecimal and shortened IPv4, so the form is checked
 * first; nor is an address with a zone id (`fe80::1%eth0`), which names an interface of this machine.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes('%')) return false;
  const parsed = ipaddr.parse(address);
  return parsed instanceof ipaddr.IPv4 ? isPublicIpv4(parsed) : isPublicIpv6(parsed);
}
