import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Lookup } from '../../src/processor/source/guarded-agent.ts';

/** The response for a name: addresses of the requested type, an alias for it, no such name, or nothing. */
export type DnsResponse =
  | readonly string[]
  | { readonly alias: string; readonly addresses: readonly string[] }
  | 'no such name'
  | 'silence';

const types = { 1: 'A', 28: 'AAAA' } as const;

/** Public addresses with the wrong family, so that the system refuses to connect: EINVAL. */
const publicAddresses: ReadonlySet<string> = new Set(['8.8.8.8', '8.8.4.4', '2606:4700::1111']);

/**
 * A DNS server on loopback, over UDP, whose records live for 0 seconds (RFC 1035).
 *
 * @param respond - gives the response to the nth question (from 1) of this name and type
 */
export async function startDnsServer(
  respond: (name: string, type: 'A' | 'AAAA', nth: number) => DnsResponse,
) {
  const questions: string[] = [];
  const socket = createSocket('udp4', (query, { port, address }) => {
    const nameEnd = query.indexOf(0, 12) + 1;
    const name = readName(query.subarray(12, nameEnd));
    const type = types[query.readUInt16BE(nameEnd) as keyof typeof types];
    const question = `${type} ${name}`;
    questions.push(question);
    const response = respond(name, type, questions.filter((one) => one === question).length);
    if (response === 'silence') return;
    const records = response === 'no such name' ? [] : recordsOf(response, type);
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(response === 'no such name' ? 0x8183 : 0x8180, 2);
    head.writeUInt16BE(records.length, 6);
    head.writeUInt32BE(0, 8);
    socket.send(Buffer.concat([head, query.subarray(12, nameEnd + 4), ...records]), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver({ timeout: 2000, tries: 1 });
  resolver.setServers([`127.0.0.1:${(socket.address() as AddressInfo).port}`]);

  const lookup: Lookup = (hostname, _options, callback) => {
    const addresses = async (lookup: Promise<string[]>, family: number) =>
      (await lookup).map((address) => ({
        address,
        family: publicAddresses.has(address) ? 10 - family : family,
      }));
    void Promise.allSettled([
      addresses(resolver.resolve4(hostname), 4),
      addresses(resolver.resolve6(hostname), 6),
    ]).then((settled) => {
      const found = settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
      callback(null, found);
    });
  };
  return {
    /** Queries this server for A and AAAA, as getaddrinfo does. */
    lookup,
    /** The queries, for example `A images.example`, in their order. */
    questions,
    async [Symbol.asyncDispose]() {
      resolver.cancel();
      socket.close();
      await once(socket, 'close');
    },
  };
}

function readName(labels: Buffer): string {
  const names: string[] = [];
  for (let at = 0; labels[at]; at += (labels[at] ?? 0) + 1) {
    names.push(labels.toString('latin1', at + 1, at + 1 + (labels[at] ?? 0)));
  }
  return names.join('.').toLowerCase();
}

function writeName(name: string): Buffer {
  return Buffer.concat(
    [...name.split('.').map((label) => Buffer.from(`\0${label}`, 'latin1')), Buffer.alloc(1)].map(
      (label, at, all) => {
        if (at < all.length - 1) label[0] = label.length - 1;
        return label;
      },
    ),
  );
}

/** Records with a lifetime of 0; the question's name is at byte 12. */
function recordsOf(response: Exclude<DnsResponse, string>, type: 'A' | 'AAAA'): Buffer[] {
  const record = (owner: Buffer, kind: number, data: Buffer): Buffer => {
    const head = Buffer.alloc(10);
    head.writeUInt16BE(kind, 0);
    head.writeUInt16BE(1, 2);
    head.writeUInt16BE(data.length, 8);
    return Buffer.concat([owner, head, data]);
  };
  const [addresses, alias] =
    'alias' in response ? [response.addresses, writeName(response.alias)] : [response, undefined];
  const question = Buffer.from([0xc0, 12]);
  const data = addresses.map((address) =>
    type === 'A' ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address),
  );
  return [
    ...(alias === undefined ? [] : [record(question, 5, alias)]),
    ...data.map((bytes) => record(alias ?? question, type === 'A' ? 1 : 28, bytes)),
  ];
}

function ipv6Bytes(address: string): Buffer {
  const { hostname } = new URL(`http://[${address}]/`);
  const [left = '', right] = hostname.slice(1, -1).split('::');
  const hextets = (text: string | undefined): string[] => (text ? text.split(':') : []);
  const [before, after] = [hextets(left), hextets(right)];
  const all = [...before, ...Array(8 - before.length - after.length).fill('0'), ...after];
  return Buffer.from(all.map((hextet) => hextet.padStart(4, '0')).join(''), 'hex');
}
