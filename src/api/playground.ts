import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Failure } from '../failures.ts';
import { pathOf } from '../programs.ts';
import type { ApiContext } from './context.ts';
import { matches } from './entity-tag.ts';

const builtFolder = pathOf('build/playground');

/** Content-Security-Policy of the pages: nothing from other origins, no inline scripts, and images from blobs of the page. */
const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' blob:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const contentTypes: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Content codings by their files' endings, the best first; the last is the file itself. */
const codings = [
  ['br', '.br'],
  ['gzip', '.gz'],
  ['identity', ''],
] as const;

interface Representation {
  readonly coding: (typeof codings)[number][0];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/** The built files by name, each in all its codings. */
export type Playground = ReadonlyMap<string, readonly Representation[]>;

/** Reads the output of `npm run build:playground`. Without it there are no files, and everything else works. */
export function loadPlayground(folder: string = builtFolder): Playground {
  if (!existsSync(folder)) return new Map();
  const names = readdirSync(folder).filter((name) => contentTypes[extname(name)] !== undefined);
  return new Map(names.map((name) => [name, representationsOf(join(folder, name))]));
}

function representationsOf(path: string): Representation[] {
  return codings
    .filter(([, ending]) => existsSync(path + ending))
    .map(([coding, ending]) => {
      const bytes = new Uint8Array(readFileSync(path + ending));
      return { coding, bytes, etag: `"${createHash('sha256').update(bytes).digest('base64url')}"` };
    });
}

/**
 * Responds with a file of the playground, compressed as the caller accepts it.
 *
 * @param name - of the file, or how to tell it from the request
 * @throws Failure ROUTE_UNKNOWN
 */
export function servePlayground(playground: Playground, name: string | ((c: ApiContext) => string)) {
  return (c: ApiContext): Response => {
    const file = typeof name === 'string' ? name : name(c);
    const representations = playground.get(file);
    const accepted = acceptedCodings(c.req.header('accept-encoding') ?? '');
    const chosen = representations?.find(({ coding }) => coding === 'identity' || accepted.has(coding));
    if (chosen === undefined) throw missing(playground);
    const isPage = file.endsWith('.html');
    c.header('ETag', chosen.etag);
    c.header('Vary', 'Accept-Encoding', { append: true });
    // The others have a digest of what is in them in their names.
    c.header('Cache-Control', isPage ? 'no-cache' : 'public, max-age=31536000, immutable');
    setPageHeaders(c);
    if (matches(c.req.header('if-none-match'), chosen.etag)) return c.body(null, 304);
    c.header('Content-Type', contentTypes[extname(file)]);
    if (chosen.coding !== 'identity') c.header('Content-Encoding', chosen.coding);
    c.header('Content-Length', String(chosen.bytes.length));
    return c.body(chosen.bytes);
  };
}

/** Headers of every page: what it may load, and that it tells other sites nothing. */
export function setPageHeaders(c: ApiContext): void {
  c.header('Content-Security-Policy', contentSecurityPolicy);
  c.header('Referrer-Policy', 'no-referrer');
}

/** The content codings that a caller accepts (RFC 9110, 12.5.3). `*` is ignored, because it prefers none of ours. */
function acceptedCodings(acceptEncoding: string): Set<string> {
  const accepted = acceptEncoding
    .split(',')
    .map((part) =>
      part
        .trim()
        .toLowerCase()
        .split(/\s*;\s*q=/),
    )
    .filter(([, weight]) => weight === undefined || Number(weight) > 0);
  return new Set(accepted.map(([coding = '']) => coding));
}

function missing(playground: Playground): Failure {
  return new Failure(
    'ROUTE_UNKNOWN',
    playground.size === 0
      ? 'The playground is not built here: run `npm run build:playground` and start again. The API itself is complete; /openapi.json lists it.'
      : 'There is nothing at this path; /openapi.json lists all that there are.',
  );
}
