import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempDisposableSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { copyTurboJpeg, packagedPlatforms } from './turbojpeg.ts';

/*
 * `npm run package [-- --scope @acme] [-- --out DIR]`: the npm package as a tarball, from a folder that contains only what
 * runs: the built programs, the kernels, libjpeg-turbo, the playground and the pages. Prints the tarball's path.
 *
 * Without a scope the package stays private, so that nobody publishes it under a name of the public registry that
 * belongs to somebody else.
 */

interface Manifest {
  readonly name: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

interface LockedPackage {
  readonly dev?: boolean;
  readonly [field: string]: unknown;
}

/** What a package of programs needs of the checkout's manifest. */
const fields = [
  'version',
  'description',
  'license',
  'type',
  'engines',
  'dependencies',
  'peerDependencies',
  'peerDependenciesMeta',
];

/** Copied as they are. The start screen's command sends the sample. */
const copied = [
  'build/kernels.wasm',
  'build/playground',
  'dist',
  'proto',
  'docs',
  'README.md',
  'CHANGELOG.md',
  'SECURITY.md',
  'LICENSE',
  'test/fixtures/sample.jpg',
];

/** Programs of a checkout and of the images: `image-service` contains both services. */
const otherProgram = /\/dist\/(start|api|probe)[.-]/;

/**
 * The manifest of the package: no scripts, nothing for development, and no Node. A dependency that is Node would replace
 * the `node` of all scripts of the project that installs it.
 */
export function packageManifest(manifest: Manifest, scope: string | undefined) {
  const bin = Object.keys(manifest.bin).map((name) => [name, `dist/${name}.js`]);
  return {
    name: scope === undefined ? manifest.name : `${scope}/${manifest.name}`,
    ...(scope === undefined && { private: true }),
    ...Object.fromEntries(fields.map((field) => [field, manifest[field]])),
    bin: Object.fromEntries(bin),
  };
}

/** The versions of all dependencies, as npm-shrinkwrap.json of the package: those that were tested. */
export function shrinkwrap(
  lock: { readonly packages: Readonly<Record<string, LockedPackage>> },
  manifest: ReturnType<typeof packageManifest>,
) {
  const kept = Object.entries(lock.packages).filter(
    ([path, entry]) => path !== '' && !entry.dev && !isNode(path),
  );
  return { ...lock, name: manifest.name, packages: { '': manifest, ...Object.fromEntries(kept) } };
}

/** Node as a package, for development only: decision 3. */
function isNode(path: string): boolean {
  return /^node_modules\/node-(?:bin-)?(?:linux|darwin)-/.test(path);
}

function makePackage(scope: string | undefined, out: string): string {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const read = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));
  using temporary = mkdtempDisposableSync(join(tmpdir(), 'image-service-package-'));
  const folder = temporary.path;
  // The programs that generate pages are not part of it.
  const generators = [join(root, 'docs/generate'), join(root, 'docs/requirements.txt')];
  const filter = (path: string) => !generators.includes(path) && !otherProgram.test(path);
  for (const path of copied) cpSync(join(root, path), join(folder, path), { recursive: true, filter });
  copyTurboJpeg(join(folder, 'build/turbojpeg'), packagedPlatforms);
  const manifest = packageManifest(read('package.json'), scope);
  const write = (name: string, value: unknown) =>
    writeFileSync(join(folder, name), `${JSON.stringify(value, null, 2)}\n`);
  write('package.json', manifest);
  write('npm-shrinkwrap.json', shrinkwrap(read('package-lock.json'), manifest));
  mkdirSync(out, { recursive: true });
  const name = execFileSync('npm', [
    'pack',
    '--silent',
    '--ignore-scripts',
    '--pack-destination',
    out,
    folder,
  ]);
  return join(out, name.toString().trim());
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { scope: { type: 'string' }, out: { type: 'string', default: '.' } },
  });
  process.stdout.write(`${makePackage(values.scope, values.out)}\n`);
}
