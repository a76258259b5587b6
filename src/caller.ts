import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/*
 * The name of a caller, by which limits per caller count. It is `key:ID` for a caller with an API key and
 * `ip:ADDRESS` for all others. The prefix keeps a key whose id looks like an address apart from that address.
 */

/** The gRPC metadata in which image-api passes the name of a call's caller on to image-processor. */
export const callerHeader = 'x-image-caller';

/** A caller without a known address, for example on a Unix socket. */
export const unknownCaller = 'ip:unknown';

/** At most 68 plain characters, so that a name can stand in a log and in a header as it is. */
const callerForm = /^(?:key:[\w.-]{1,64}|ip:(?:unknown|[\da-f.:]{2,39}(?:\/64)?))$/;

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An IP address in its plain form: without a zone, and IPv4 where it is IPv4 mapped into IPv6. */
export function parseAddress(text: string): Address | undefined {
  const [address = ''] = text.split('%', 1);
  return isIP(address) === 0 ? undefined : ipaddr.process(address);
}

/** The caller with an API key. @param id - of the key, as its file has it */
export function callerOfKey(id: string): string {
  return `key:${id}`;
}

/**
 * The caller with an address. One customer of a provider usually has a whole /64 of IPv6 addresses (RFC 6177), so
 * these are one caller.
 */
export function callerOfAddress(address: Address | undefined): string {
  if (address === undefined) return unknownCaller;
  if (address.kind() === 'ipv4') return `ip:${address}`;
  return `ip:${ipaddr.IPv6.networkAddressFromCIDR(`${address}/64`)}/64`;
}

/** The name of a caller as it came over the wire; undefined where it is malformed. */
export function readCaller(text: string | null | undefined): string | undefined {
  return text && callerForm.test(text) ? text : undefined;
}
