import type { LookupAddress } from 'node:dns';
import { networkInterfaces } from 'node:os';
import { Agent } from 'undici';
import { describe, expect, it } from 'vitest';
import type { Failure } from '../../../src/failures.ts';
import { createGuardedAgent, type Lookup } from '../../../src/processor/source/guarded-agent.ts';
import { type Origin, startOrigin } from '../../support/origin.ts';

const timeouts = { connectTimeoutMs: 5000, headersTimeoutMs: 5000, bodyTimeoutMs: 5000 };

function guardedAgent(allowedHosts: readonly string[] = [], lookup?: Lookup) {
  return createGuardedAgent({ ...timeouts, allowedHosts: new Set(allowedHosts), lookup });
}

/** Gets a URL through an agent: its body, or the reason or code of the error. */
async function outcome(agent: Agent, text: string): Promise<string> {
  try {
    const url = new URL(text);
    const { body } = await agent.request({ origin: url.origin, path: url.pathname, method: 'GET' });
    return await body.text();
  } catch (error) {
    const { reason, code } = error as { reason?: string; code?: string };
    return reason ?? code ?? String(error);
  }
}

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);

/** Listens on every address of this machine, in each family that it has. */
const startOnAllAddresses = (): Promise<Origin> =>
  startOrigin((_request, response) => response.end('secret'), hasIpv6 ? '::' : '0.0.0.0');

/** A resolver that knows one host and responds from a list, repeating the last entry. */
function resolver(...results: readonly (readonly LookupAddress[])[]) {
  const asked: string[] = [];
  const lookup: Lookup = (hostname, _options, callback) => {
    const result = results[Math.min(asked.length, results.length - 1)] ?? [];
    asked.push(hostname);
    setImmediate(callback, null, [...result]);
  };
  return { lookup, asked };
}

const loopback = { address: '127.0.0.1', family: 4 };

// Public addresses whose families are wrong, so that the system refuses to connect to them with EINVAL:
// nothing leaves this machine, whatever the guard does.
const publicIpv4 = { address: '8.8.8.8', family: 6 };
const publicIpv6 = { address: '2606:4700::1111', family: 4 };

/** Ways to write a host of this machine in a URL. `PORT` is the port of a server that listens there. */
const waysHome = [
  'http://127.0.0.1:PORT/',
  'http://127.0.0.2:PORT/',
  'http://127.255.255.254:PORT/',
  'http://127.0.0.1.:PORT/',
  'http://127.1:PORT/',
  'http://127.0.1:PORT/',
  'http://2130706433:PORT/',
  'http://0x7f000001:PORT/',
  'http://0X7F.0x0.0x0.0x1:PORT/',
  'http://0x7f.1:PORT/',
  'http://017700000001:PORT/',
  'http://0177.0.0.1:PORT/',
  'http://0177.0x0.00.01:PORT/',
  'http://0:PORT/',
  'http://00:PORT/',
  'http://0x0:PORT/',
  'http://0.0.0.0:PORT/',
  'http://[::]:PORT/',
  'http://[::1]:PORT/',
  'http://[0:0:0:0:0:0:0:1]:PORT/',
  'http://[0000::0001]:PORT/',
  'http://[::ffff:127.0.0.1]:PORT/',
  'http://[::ffff:7f00:1]:PORT/',
  'http://[0:0:0:0:0:FFFF:7F00:0001]:PORT/',
  'http://[::ffff:0.0.0.0]:PORT/',
  'http://localhost:PORT/',
  'http://LocalHost:PORT/',
  'http://loc%61lhost:PORT/',
  'http://%31%32%37.0.0.1:PORT/',
  'http://１２７.０.０.１:PORT/',
  'http://①②⑦.⓪.⓪.①:PORT/',
  'http://127。0。0。1:PORT/',
  'http://127．0．0．1:PORT/',
  'http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ:PORT/',
  'http://12\u00AD7.0.0.1:PORT/',
  'http://12\u200B7.0.0.1:PORT/',
  'http://127.0.\t0.1:PORT/',
  'http:127.0.0.1:PORT/',
  'http:///127.0.0.1:PORT/',
  'http:\\\\127.0.0.1:PORT\\',
  'http://127.0.0.1:PORT\\@8.8.8.8/',
  'http://127.0.0.1:PORT#@8.8.8.8/',
  'http://127.0.0.1:PORT?@8.8.8.8/',
  'http://8.8.8.8@127.0.0.1:PORT/',
] as const;

/** Hosts that aren't public and aren't on this machine. */
const privateHosts = [
  'http://10.0.0.1/',
  'http://0xa000001/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://0xc0a80101/',
  'http://169.254.169.254/latest/meta-data/',
  'http://2852039166/latest/meta-data/',
  'http://0251.0376.0251.0376/',
  'http://100.100.100.200/',
  'http://192.0.0.192/',
  'http://168.63.129.16/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://255.255.255.255/',
  'http://[fd00:ec2::254]/',
  'http://[fe80::1]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://[::ffff:169.254.169.254]/',
  'http://[::169.254.169.254]/',
  'http://[::ffff:0:169.254.169.254]/',
  'http://[64:ff9b::169.254.169.254]/',
  'http://[64:ff9b:1::a9fe:a9fe]/',
  'http://[2002:a9fe:a9fe::]/',
  'http://[2001:0:a9fe:a9fe::]/',
  'http://[2400:cb00::5efe:169.254.169.254]/',
  'http://[2001:db8::1]/',
] as const;

describe(createGuardedAgent, () => {
  it('opens no socket to this machine, in any spelling of a host', async () => {
    await using origin = await startOnAllAddresses();
    await using agent = disposable(guardedAgent());
    for (const way of waysHome) {
      const url = way.replace('PORT', String(origin.port));
      expect(await outcome(agent, url), url).toBe('URL_ADDRESS_FORBIDDEN');
      expect(await outcome(agent, url.replace('http:', 'https:')), url).toBe('URL_ADDRESS_FORBIDDEN');
    }
    expect(origin.connections).toBe(0);
  });

  it.skipIf(!hasIpv6)(
    'is what stands between these URLs and this machine: without it each of them arrives',
    async () => {
      await using origin = await startOnAllAddresses();
      await using agent = disposable(new Agent());
      const outcomes = new Map<string, string>();
      for (const way of waysHome) {
        outcomes.set(way, await outcome(agent, way.replace('PORT', String(origin.port))));
      }
      expect([...outcomes].filter(([, body]) => body !== 'secret')).toEqual([]);
      expect(origin.connections).toBeGreaterThan(0);
    },
  );

  it.each(privateHosts)('opens no socket for %s', async (url) => {
    const { lookup, asked } = resolver([loopback]);
    await using agent = disposable(guardedAgent([], lookup));
    expect(await outcome(agent, url)).toBe('URL_ADDRESS_FORBIDDEN');
    expect(asked).toEqual([]);
  });

  it.each([
    ['127.0.0.1', [loopback]],
    ['0.0.0.0', [{ address: '0.0.0.0', family: 4 }]],
    ['::1', [{ address: '::1', family: 6 }]],
    ['an IPv4-mapped address', [{ address: '::ffff:127.0.0.1', family: 6 }]],
    ['a public address, then a private one', [publicIpv4, loopback]],
    ['a private address, then a public one', [loopback, publicIpv4]],
    ['a public A and a private AAAA', [publicIpv4, { address: '::1', family: 6 }]],
    ['a public AAAA and a private A', [publicIpv6, loopback]],
    ['an address in another zone', [{ address: 'fe80::1%lo', family: 6 }]],
  ])('opens no socket for a name that resolves to %s', async (_words, result) => {
    await using origin = await startOnAllAddresses();
    const { lookup } = resolver(result);
    await using agent = disposable(guardedAgent([], lookup));
    expect(await outcome(agent, `http://images.example:${origin.port}/`)).toBe('URL_ADDRESS_FORBIDDEN');
    expect(origin.connections).toBe(0);
  });

  it('connects to the address that was checked, not to a later one of the same name', async () => {
    await using origin = await startOnAllAddresses();
    const { lookup, asked } = resolver([publicIpv4], [loopback]);
    await using agent = disposable(guardedAgent([], lookup));
    expect(await outcome(agent, `http://images.example:${origin.port}/`)).toBe('EINVAL');
    expect(asked).toEqual(['images.example']);
    expect(await outcome(agent, `http://images.example:${origin.port}/`)).toBe('URL_ADDRESS_FORBIDDEN');
    expect(asked).toEqual(['images.example', 'images.example']);
    expect(origin.connections).toBe(0);
  });

  it('names the host and never its address', async () => {
    const { lookup } = resolver([{ address: '10.20.30.40', family: 4 }]);
    await using agent = disposable(guardedAgent([], lookup));
    const failure = await agent
      .request({ origin: 'http://intranet.example', path: '/', method: 'GET' })
      .catch((error: unknown) => error);
    expect(failure).toMatchObject({
      reason: 'URL_ADDRESS_FORBIDDEN',
      metadata: { host: 'intranet.example' },
      message:
        "intranet.example does not lead to a public address, and images are downloaded from public addresses only. Check the URL's host name, send the image's bytes instead, or have the host added to URL_ALLOWED_HOSTS.",
    });
    expect(JSON.stringify(failure)).not.toContain('10.20.30.40');
    expect((failure as Error).cause).toBeUndefined();
  });

  it.skipIf(!hasIpv6).each([
    ['127.0.0.1', 'http://127.0.0.1:PORT/'],
    ['127.0.0.1:PORT', 'http://127.0.0.1:PORT/'],
    ['127.0.0.1', 'http://2130706433:PORT/'],
    ['::1', 'http://[::1]:PORT/'],
    ['[::1]', 'http://[::1]:PORT/'],
    ['[::1]:PORT', 'http://[::1]:PORT/'],
    ['localhost', 'http://localhost:PORT/'],
    ['localhost:PORT', 'http://LOCALHOST:PORT/'],
  ])('allows %s at %s if it is listed', async (allowedHost, way) => {
    await using origin = await startOnAllAddresses();
    const withPort = (text: string): string => text.replace('PORT', String(origin.port));
    await using agent = disposable(guardedAgent([withPort(allowedHost)]));
    expect(await outcome(agent, withPort(way))).toBe('secret');
  });

  it.each([
    ['127.0.0.1:1', 'http://127.0.0.1:PORT/'],
    ['127.0.0.1', 'http://localhost:PORT/'],
    ['localhost', 'http://127.0.0.1:PORT/'],
    ['localhost', 'http://localhost.:PORT/'],
    ['localhost', 'http://sub.localhost:PORT/'],
    ['127.0.0.1', 'http://127.0.0.2:PORT/'],
    ['127.0.0.1', 'http://[::ffff:127.0.0.1]:PORT/'],
    ['::1:PORT', 'http://[::1]:PORT/'],
  ])('allows only that host: with %s allowed nothing goes to %s', async (allowedHost, way) => {
    await using origin = await startOnAllAddresses();
    const withPort = (text: string): string => text.replace('PORT', String(origin.port));
    const { lookup } = resolver([loopback]);
    await using agent = disposable(guardedAgent([withPort(allowedHost)], lookup));
    expect(await outcome(agent, withPort(way))).toBe('URL_ADDRESS_FORBIDDEN');
    expect(origin.connections).toBe(0);
  });

  it('uses the default port for a URL without one', async () => {
    // Of the wrong family, so that an allowed connection fails with EINVAL.
    const { lookup } = resolver([{ address: '127.0.0.1', family: 6 }]);
    await using agent = disposable(guardedAgent(['web.example:80', 'tls.example:443'], lookup));
    expect(await outcome(agent, 'http://web.example/')).toBe('EINVAL');
    expect(await outcome(agent, 'https://tls.example/')).toBe('EINVAL');
    expect(await outcome(agent, 'https://web.example/')).toBe('URL_ADDRESS_FORBIDDEN');
    expect(await outcome(agent, 'http://tls.example/')).toBe('URL_ADDRESS_FORBIDDEN');
  });

  it.skipIf(!hasIpv6)('tries the next address of a name when the first does not respond', async () => {
    await using origin = await startOrigin((_request, response) => response.end('secret'), '127.0.0.1');
    const { lookup } = resolver([{ address: '::1', family: 6 }, loopback]);
    await using agent = disposable(guardedAgent(['images.example'], lookup));
    expect(await outcome(agent, `http://images.example:${origin.port}/`)).toBe('secret');
  });

  it('gives the same failure for a name without an address as for a private address', async () => {
    const failureOf = async (agent: Agent, origin: string) => {
      const error = await agent
        .request({ origin, path: '/', method: 'GET' })
        .catch((thrown: unknown) => thrown);
      const { reason, message, metadata, isRetryable } = error as Failure;
      return { reason, message, metadata, isRetryable };
    };
    await using agent = disposable(guardedAgent());
    // The system's resolver refuses a label of 64 characters without a query.
    expect(await outcome(agent, `http://${'a'.repeat(64)}.example/`)).toBe('URL_ADDRESS_FORBIDDEN');
    await using empty = disposable(guardedAgent([], resolver([]).lookup));
    await using inside = disposable(guardedAgent([], resolver([{ address: '10.1.2.3', family: 4 }]).lookup));
    const url = 'http://images.example';
    expect(await failureOf(empty, url)).toEqual(await failureOf(inside, url));
  });
});

function disposable(agent: Agent): Agent & AsyncDisposable {
  return Object.assign(agent, { [Symbol.asyncDispose]: () => agent.destroy() });
}
