import { createClient } from '@connectrpc/connect';
import { createConnectTransport, createGrpcWebTransport } from '@connectrpc/connect-node';
import { describe, expect, it } from 'vitest';
import { ProcessorService } from '../../../gen/image/v1/processor_pb.ts';
import { addressRanges, clientAddress } from '../../../src/api/auth/trusted-proxies.ts';
import { plainResponse, startScriptedProcessor, startTestApi } from '../../support/api.ts';

const parse = (text: string) => addressRanges().parse(text);

const addressOf = (peer: string | undefined, forwarded: string | undefined, trusted: string) =>
  clientAddress(
    {
      socket: { remoteAddress: peer },
      headers: forwarded === undefined ? {} : { 'x-forwarded-for': forwarded },
    },
    parse(trusted),
  )?.toString();

describe(addressRanges, () => {
  it.each(['10.0.0.0/8', '10.1.2.3', ' 10.0.0.0/8 , fd00::/8,::1 ', '::ffff:10.0.0.0/104', '0.0.0.0/0'])(
    'takes %j',
    (text) => {
      expect(() => parse(text)).not.toThrow();
    },
  );

  it.each(['10.0.0.0/33', '10.0.0/8', 'proxy.example', 'fd00::/129', '::ffff:10.0.0.0/8', '10.0.0.0/', '*'])(
    'refuses %j',
    (text) => {
      expect(() => parse(text)).toThrow('addresses or CIDR ranges with commas between them');
    },
  );
});

describe(clientAddress, () => {
  it('ignores X-Forwarded-For without trusted proxies', () => {
    expect(addressOf('192.0.2.1', '198.51.100.7', '')).toBe('192.0.2.1');
  });

  it('ignores X-Forwarded-For of a peer that is not a trusted proxy', () => {
    expect(addressOf('192.0.2.1', '198.51.100.7', '10.0.0.0/8')).toBe('192.0.2.1');
  });

  it.each([
    ['the one address', '198.51.100.7', '198.51.100.7'],
    ['the rightmost, whatever the client put before it', '203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['the rightmost that is not a proxy', '203.0.113.9, 198.51.100.7, 10.9.9.9', '198.51.100.7'],
    ['the leftmost proxy where all are proxies', '10.2.2.2, 10.3.3.3', '10.2.2.2'],
    ['the proxy itself without the header', undefined, '10.0.0.1'],
    ['an address with its port', '198.51.100.7:4711', '198.51.100.7'],
    ['an IPv6 address in brackets with its port', '[2001:db8::7]:4711', '2001:db8::7'],
    ['an IPv6 address as it is', '2001:DB8::7', '2001:db8::7'],
    ['IPv4 in IPv6 as IPv4', '::ffff:198.51.100.7', '198.51.100.7'],
    ['the proxy where the last entry is malformed', '198.51.100.7, unknown', '10.0.0.1'],
    ['the nearest address before a malformed entry', '198.51.100.7, _hidden, 10.4.4.4', '10.4.4.4'],
    ['the proxy where the header is empty', '', '10.0.0.1'],
    ['the proxy where the last entry is empty', '198.51.100.7,', '10.0.0.1'],
  ])('behind a trusted proxy takes %s', (_, forwarded, address) => {
    expect(addressOf('10.0.0.1', forwarded, '10.0.0.0/8')).toBe(address);
  });

  it('recognises a trusted proxy by its IPv4 address on a socket of both families', () => {
    expect(addressOf('::ffff:10.0.0.1', '198.51.100.7', '10.0.0.0/8')).toBe('198.51.100.7');
  });

  it('knows no address on a Unix socket', () => {
    expect(addressOf(undefined, '198.51.100.7', '10.0.0.0/8')).toBeUndefined();
  });
});

describe('image-api', () => {
  async function callersOf(environment: Readonly<Record<string, string>>) {
    await using processor = await startScriptedProcessor();
    const names: (string | null)[] = [];
    processor.script.process = (_request, { requestHeader }) => {
      names.push(requestHeader.get('x-image-caller'));
      return plainResponse;
    };
    await using api = await startTestApi({ PROCESSOR_URL: processor.url, ...environment });
    const headers = { 'X-Forwarded-For': '203.0.113.9, 198.51.100.7', 'x-image-caller': 'key:another' };
    await fetch(`${api.url}/v1/images`, { method: 'POST', body: new Uint8Array([1]), headers });
    for (const createTransport of [createConnectTransport, createGrpcWebTransport]) {
      const client = createClient(
        ProcessorService,
        createTransport({ baseUrl: api.url, httpVersion: '1.1', useBinaryFormat: true }),
      );
      await client.process({ source: { case: 'url', value: 'https://a.example/' } }, { headers });
    }
    return names;
  }

  it("tells the processor the client's address, by every interface", async () => {
    expect(await callersOf({})).toEqual(Array(3).fill('ip:127.0.0.1'));
  });

  it('sends it the address from a trusted proxy', async () => {
    expect(await callersOf({ TRUSTED_PROXIES: '127.0.0.0/8' })).toEqual(Array(3).fill('ip:198.51.100.7'));
  });
});
