import type { IncomingMessage } from 'node:http';
import type ipaddr from 'ipaddr.js';
import * as z from 'zod';
import { parseAddress } from '../../caller.ts';
import { commaSeparated } from '../../options/text-schemas.ts';

type Address = NonNullable<ReturnType<typeof parseAddress>>;
type Range = readonly [network: Address, prefixBits: number];

/** Addresses and CIDR ranges with commas between them, as `10.0.0.0/8, 2001:db8::1`. */
export function addressRanges() {
  return commaSeparated().transform((texts, context): readonly Range[] =>
    texts.map((text) => {
      const range = parseRange(text);
      if (range !== undefined) return range;
      context.addIssue({
        code: 'custom',
        message: 'addresses or CIDR ranges with commas between them, as 10.0.0.0/8',
      });
      return z.NEVER;
    }),
  );
}

function parseRange(text: string): Range | undefined {
  const [, base = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const address = parseAddress(base);
  if (address === undefined) return undefined;
  const isMapped = address.kind() === 'ipv4' && base.includes(':');
  const longest = address.kind() === 'ipv4' ? 32 : 128;
  const prefixBits = bits === undefined ? longest : Number(bits) - (isMapped ? 96 : 0);
  return prefixBits >= 0 && prefixBits <= longest ? [address, prefixBits] : undefined;
}

/**
 * The address of the client that sent a request. Behind trusted proxies it is the rightmost address of
 * `X-Forwarded-For` that is not one of theirs: each proxy appends the address of its own peer, and everything to the
 * left of the first untrusted address may be forged by the client. A malformed entry ends the search, and the
 * nearest address before it counts.
 *
 * @param trustedProxies - whose `X-Forwarded-For` counts
 */
export function clientAddress(
  {
    socket,
    headers,
  }: Pick<IncomingMessage, 'headers'> & { readonly socket: { remoteAddress?: string | undefined } },
  trustedProxies: readonly Range[],
): Address | undefined {
  let address = parseAddress(socket.remoteAddress ?? '');
  // Node joins several headers of this name with commas, in their order.
  const forwarded = [headers['x-forwarded-for'] ?? ''].flat().join(',').split(',');
  while (address !== undefined && isTrustedProxy(address, trustedProxies)) {
    const next = parseForwarded(forwarded.pop());
    if (next === undefined) break;
    address = next;
  }
  return address;
}

/** Some proxies append the port, as `192.0.2.1:4711` and `[2001:db8::1]:4711`. */
function parseForwarded(entry: string | undefined): Address | undefined {
  const text = entry?.trim() ?? '';
  const [, inBrackets, withPort] = /^(?:\[([^\]]+)\](?::\d+)?|([\d.]+):\d+)$/.exec(text) ?? [];
  return parseAddress(inBrackets ?? withPort ?? text);
}

/** Whether an address is one of the trusted proxies'. */
export function isTrustedProxy(address: Address, ranges: readonly Range[]): boolean {
  return ranges.some(
    ([network, prefixBits]) =>
      network.kind() === address.kind() && (address as ipaddr.IPv6).match(network as ipaddr.IPv6, prefixBits),
  );
}
