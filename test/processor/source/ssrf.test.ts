import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Failure } from '../../../src/failures.ts';
import { createDownloadPlaces } from '../../../src/processor/source/download-places.ts';
import { createSourceReader } from '../../../src/processor/source/read-source.ts';
import { type DnsResponse, startDnsServer } from '../../support/dns-server.ts';
import { type Origin, redirects, routes, sends, startOrigin } from '../../support/origin.ts';
import { watchSocketAttempts } from '../../support/socket-attempts.ts';
import {
  invalid,
  ipv4InIpv6,
  lookalikes,
  notations,
  otherSchemes,
  redirectLocations,
  specialIpv4,
  specialIpv6,
} from './ssrf-table.ts';

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) =>
  addresses?.some(({ address }) => address === '::1'),
);
const loopbackAnswers: Readonly<Record<'A' | 'AAAA', string>> = { A: '127.0.0.1', AAAA: '::1' };

/** A server on every address of this machine, and a resolver that resolves every name to this machine. */
let inside: Origin;
let toLoopback: Awaited<ReturnType<typeof startDnsServer>>;
let sockets: ReturnType<typeof watchSocketAttempts>;

beforeAll(async () => {
  inside = await startOrigin(sends('secret'), hasIpv6 ? '::' : '0.0.0.0');
  toLoopback = await startDnsServer((_name, type) => [loopbackAnswers[type]]);
  sockets = watchSocketAttempts();
});
afterAll(async () => {
  sockets[Symbol.dispose]();
  await toLoopback[Symbol.asyncDispose]();
  await inside[Symbol.asyncDispose]();
});

const withPort = (url: string): string => url.replaceAll('PORT', String(inside.port));

/** Reads URLs as a service does, to 'image' or a similar text, or to the reason of the failure. */
function startReader({ allowed = [] as string[], dns = toLoopback, connectTimeoutMs = 5000 } = {}) {
  const reader = createSourceReader({
    places: createDownloadPlaces(8, 8),
    allowedHosts: new Set(allowed),
    lookup: dns.lookup,
    maxBytes: 1000,
    timeoutMs: 20_000,
    connectTimeoutMs,
    records: { get: async () => undefined, set: () => {} },
  });
  onTestFinished(() => reader.close());
  const nobodyLeaves = new AbortController().signal;
  return async (url: string): Promise<string> => {
    try {
      const read = await reader.read({ case: 'url', value: url }, async () => undefined, nobodyLeaves);
      return 'content' in read ? Buffer.from(read.content).toString() : 'an answer';
    } catch (error) {
      return error instanceof Failure ? error.reason : String(error);
    }
  };
}

/** The URLs that did not end with a reason, or for which any socket was opened. */
async function notRefused(urls: readonly string[], reason: string): Promise<string[]> {
  const read = startReader();
  const wrong: string[] = [];
  for (const url of urls.map(withPort)) {
    const [before, connections] = [sockets.attempts.length, inside.connections];
    const outcome = await read(url);
    const attempts = sockets.attempts.slice(before);
    if (outcome !== reason || attempts.length > 0 || inside.connections > connections) {
      wrong.push(`${url}: ${outcome} ${attempts.join()}`);
    }
  }
  return wrong;
}

const urlsOf = (hosts: readonly string[]): string[] =>
  hosts.flatMap((host) => {
    const named = host.includes(':') ? `[${host}]` : host;
    return [`http://${named}:PORT/`, `https://${named}:PORT/`, `http://${named}/`];
  });

const addressGroups = Object.entries({ ...specialIpv4, ...specialIpv6, ...ipv4InIpv6, ...notations });

describe('a URL that leads to a forbidden address', () => {
  it('is tested in more than 120 forms', () => {
    const rows = [
      ...addressGroups.flatMap(([, hosts]) => hosts),
      ...lookalikes,
      ...Object.values(invalid).flat(),
      ...otherSchemes,
    ];
    expect(new Set(rows).size).toBe(rows.length);
    expect(rows.length).toBeGreaterThanOrEqual(120);
  });

  it('would arrive, and be counted, if it were allowed', async () => {
    const before = sockets.attempts.length;
    const read = startReader({ allowed: ['127.0.0.1', 'inside.example', 'localhost'] });
    for (const url of ['http://127.1:PORT/', 'http://①②⑦.⓪.⓪.①:PORT/', 'http://inside.example:PORT/']) {
      expect(await read(withPort(url)), url).toBe('secret');
    }
    await read(withPort('https://127.0.0.1:PORT/'));
    const attempts = sockets.attempts.slice(before);
    expect(attempts.length).toBeGreaterThanOrEqual(2);
    expect(new Set(attempts.map((attempt) => attempt.split(' ')[1]))).toEqual(new Set([String(inside.port)]));
    expect(inside.connections).toBeGreaterThanOrEqual(2);
  });

  it.each(addressGroups)('opens no socket when its host is %s', async (_name, hosts) => {
    expect(await notRefused(urlsOf(hosts), 'URL_ADDRESS_FORBIDDEN')).toEqual([]);
  });

  it.each(lookalikes.map((url) => [url]))('opens no socket when written %j', async (url) => {
    expect(await notRefused([url], 'URL_ADDRESS_FORBIDDEN')).toEqual([]);
  });

  it.each(Object.entries(invalid))('is refused without a lookup for %s', async (_name, urls) => {
    expect(await notRefused(urls, 'URL_INVALID')).toEqual([]);
  });

  it('is refused for a scheme that is neither http nor https', async () => {
    expect(await notRefused(otherSchemes, 'URL_SCHEME_UNSUPPORTED')).toEqual([]);
  });
});

describe('a redirect that leads to a forbidden address', () => {
  const forbidden = redirectLocations.map((location) => [location, 'URL_ADDRESS_FORBIDDEN'] as const);
  const others = [
    ['http://8.8.8.8@127.0.0.1:PORT/', 'URL_INVALID'],
    ...otherSchemes
      .filter((url) => url !== 'netdoc:///etc/passwd')
      .map((url) => [url, 'URL_SCHEME_UNSUPPORTED'] as const),
  ] as const;

  it.each([301, 302, 303, 307, 308])('opens no socket there when it is a %i', async (status) => {
    for (const [location, reason] of [...forbidden, ...others]) {
      // Three hops, each on an allowed origin, before the forbidden one.
      await using origin = await startOrigin(
        routes({
          '/1': redirects(status, '/2'),
          '/2': redirects(status, Buffer.from(withPort(location)).toString('latin1')),
        }),
        '127.0.0.1',
      );
      const read = startReader({ allowed: [`127.0.0.1:${origin.port}`] });
      const before = [...sockets.attempts];
      const connections = inside.connections;
      expect(await read(origin.url('/1')), location).toBe(reason);
      const ports = sockets.attempts.slice(before.length).map((attempt) => attempt.split(' ')[1]);
      expect(new Set(ports), location).toEqual(new Set([String(origin.port)]));
      expect(inside.connections, location).toBe(connections);
    }
  });

  it('opens no socket there for a Refresh header or an HTML page', async () => {
    const target = withPort('http://127.0.0.1:PORT/');
    const page = `<meta http-equiv="refresh" content="0;url=${target}">`;
    await using origin = await startOrigin(
      sends(page, { refresh: `0;url=${target}`, 'content-location': target }),
    );
    const connections = inside.connections;
    const read = startReader({ allowed: [`127.0.0.1:${origin.port}`] });
    expect(await read(origin.url())).toBe(page);
    expect(inside.connections).toBe(connections);
  });
});

describe('a name that leads to a forbidden address', () => {
  type Zone = Partial<Record<'A' | 'AAAA', DnsResponse>>;

  /** The result for a name of this zone, and the addresses to which sockets were opened. */
  async function outcomeOf(answer: (type: 'A' | 'AAAA', nth: number) => DnsResponse, times = 1) {
    await using dns = await startDnsServer((_name, type, nth) => answer(type, nth));
    const read = startReader({ dns });
    const [before, connections] = [sockets.attempts.length, inside.connections];
    const outcomes: string[] = [];
    for (let time = 0; time < times; time += 1) {
      outcomes.push(await read(withPort('http://images.example:PORT/')));
    }
    expect(inside.connections).toBe(connections);
    const attempts = sockets.attempts.slice(before).map((attempt) => attempt.split(' ')[0]);
    return { outcomes, attempts: [...new Set(attempts)], questions: dns.questions };
  }

  it.each([
    ['is private', { A: ['10.0.0.1'] }],
    ['is this machine, only by IPv6', { AAAA: ['::1'] }],
    ['is the metadata of a cloud', { A: ['169.254.169.254'] }],
    ['is public by A and private by AAAA', { A: ['8.8.8.8'], AAAA: ['::1'] }],
    ['is private by A and public by AAAA', { A: ['127.0.0.1'], AAAA: ['2606:4700::1111'] }],
    [
      'is public by AAAA, and an IPv4-mapped one beside it',
      { AAAA: ['2606:4700::1111', '::ffff:127.0.0.1'] },
    ],
    ['is public, then private', { A: ['8.8.8.8', '127.0.0.1'] }],
    ['is private, then public', { A: ['127.0.0.1', '8.8.8.8'] }],
    [
      'is private behind many that are public',
      { A: ['8.8.8.8', '8.8.4.4', '8.8.8.8', '8.8.4.4', '192.168.1.1'] },
    ],
    ['is an alias of a private one', { A: { alias: 'db.internal', addresses: ['127.0.0.1'] } }],
    ['is 0.0.0.0', { A: ['0.0.0.0'] }],
    ['is ::', { AAAA: ['::'] }],
    ['is NAT64 of a private one', { AAAA: ['64:ff9b::a00:1'] }],
    ['is 6to4', { AAAA: ['2002:7f00:1::1'] }],
    ['is broadcast', { A: ['255.255.255.255'] }],
  ] as [string, Zone][])('opens no socket when it %s', async (_words, zone) => {
    const { outcomes, attempts } = await outcomeOf((type) => zone[type] ?? []);
    expect(outcomes).toEqual(['URL_ADDRESS_FORBIDDEN']);
    expect(attempts).toEqual([]);
  });

  it('opens none when the name changes between the check and the connect, which share one query', async () => {
    // Public for the first query, this machine from then on.
    const { outcomes, attempts, questions } = await outcomeOf((type, nth) => {
      if (type === 'AAAA') return [];
      return nth === 1 ? ['8.8.8.8'] : ['127.0.0.1'];
    }, 3);
    // The first goes to the address that was checked, which the system refuses because of its family.
    expect(outcomes).toEqual(['ORIGIN_UNREACHABLE', 'URL_ADDRESS_FORBIDDEN', 'URL_ADDRESS_FORBIDDEN']);
    expect(attempts.filter((address) => address !== '8.8.8.8')).toEqual([]);
    expect(questions.filter((question) => question === 'A images.example').length).toBe(3);
  });

  it('opens none when the name changes with every query', async () => {
    const { outcomes, attempts } = await outcomeOf((type, nth) => {
      const [even, odd] = type === 'A' ? ['127.0.0.1', '8.8.8.8'] : ['::1', '2606:4700::1111'];
      return [nth % 2 === 0 ? even : odd];
    }, 6);
    expect(outcomes.filter((outcome) => outcome === 'URL_ADDRESS_FORBIDDEN').length).toBe(3);
    expect(attempts.filter((address) => !['8.8.8.8', '2606:4700::1111'].includes(address ?? ''))).toEqual([]);
  });

  it('opens none when a redirect returns to a name that has changed meanwhile', async () => {
    await using origin = await startOrigin(redirects(302, withPort('http://images.example:PORT/')));
    // First for the redirecting origin, then for the target.
    await using dns = await startDnsServer((name, type) =>
      type === 'A' && name === 'images.example' ? ['127.0.0.1'] : [],
    );
    const read = startReader({ dns, allowed: [`images.example:${origin.port}`] });
    const connections = inside.connections;
    expect(await read(`http://images.example:${origin.port}/`)).toBe('URL_ADDRESS_FORBIDDEN');
    expect(origin.requests.length).toBe(1);
    expect(inside.connections).toBe(connections);
  });

  it.each([
    ['that does not exist', 'no such name', 'URL_ADDRESS_FORBIDDEN'],
    ['that has no address', [], 'URL_ADDRESS_FORBIDDEN'],
  ] as [string, DnsResponse, string][])(
    '%s is refused as one with a private address',
    async (_words, answer, reason) => {
      expect((await outcomeOf(() => answer)).outcomes).toEqual([reason]);
    },
  );

  it('whose server sends nothing costs at most the time to connect', async () => {
    await using dns = await startDnsServer(() => 'silence');
    const read = startReader({ dns, connectTimeoutMs: 50 });
    expect(await read('http://images.example/')).toBe('ORIGIN_TIMEOUT');
  });
});
