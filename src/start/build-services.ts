import { chmodSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { build } from 'esbuild';
import packageJson from '../../package.json' with { type: 'json' };
import { pathOf, programs } from '../programs.ts';

/*
 * `npm run build:services`: the programs, as JavaScript in dist/. The modules that every start loads are in a few files: Node
 * needs a third of the time and half of the memory that hundreds of modules take whose types it has to strip. Modules
 * that only some requests need have files of their own: one for each `import()` of the sources.
 *
 * The files are all in dist/ itself, from where src/programs.ts finds the checkout.
 */

/**
 * Packages that a start loads and that consist of JavaScript only. All others are loaded from node_modules when they
 * are needed.
 */
const bundled: ReadonlySet<string> = new Set([
  '@bufbuild/protobuf',
  '@connectrpc/connect',
  '@connectrpc/connect-node',
  '@hono/node-server',
  '@msgpack/msgpack',
  '@opentelemetry/api',
  '@remix-run/multipart-parser',
  'hono',
  'http-cache-semantics',
  'ipaddr.js',
  'lru-cache',
  'pino',
  'prom-client',
  'rate-limiter-flexible',
  'zod',
]);

const { dependencies, devDependencies, peerDependencies } = packageJson;
const external = Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies }).filter(
  (name) => !bundled.has(name),
);

const folder = pathOf('dist');
// Beside it first: a service that starts meanwhile finds the old files or the new ones.
const unfinished = mkdtempSync(`${folder}-`);
// Each by itself: a file that two programs share would be cut into the pieces that both of them load.
await Promise.all(
  Object.entries(programs).map(([name, source]) =>
    build({
      entryPoints: { [name]: source },
      absWorkingDir: pathOf('.'),
      outdir: unfinished,
      chunkNames: `${name}-[hash]`,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target: 'node24',
      external,
      // The same result where the checkout has no tsconfig.json.
      tsconfigRaw: {},
      legalComments: 'linked',
      // Without comments, which V8 would keep in memory, and twice as long where one has a letter that is not in Latin-1.
      minifyWhitespace: true,
      // For the positions in stack traces.
      lineLimit: 120,
      // CommonJS packages require modules of Node.
      banner: {
        js: "import { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);",
      },
    }),
  ),
);
chmodSync(unfinished, 0o755);
rmSync(folder, { recursive: true, force: true });
renameSync(unfinished, folder);
