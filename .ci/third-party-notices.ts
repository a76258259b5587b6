import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';

/*
 * `node third-party-notices.ts [FOLDER]`: name, version, licence and licence texts of each package that is installed in
 * the folder's node_modules, as text on standard output. The Dockerfiles put it into the images beside npm's SBOM.
 */

interface Package {
  readonly version: string;
  readonly license?: string;
}

const textNames = /^(?:licen[cs]e|copying|notice|third[-_]party)/i;

/** A notice for each package of `folder/node_modules/.package-lock.json`, in the order of their names. */
export function thirdPartyNotices(folder: string): string {
  const lockfile = readFileSync(join(folder, 'node_modules/.package-lock.json'), 'utf8');
  const { packages } = JSON.parse(lockfile) as { packages: Readonly<Record<string, Package>> };
  const installed = Object.entries(packages).filter(([path]) => existsSync(join(folder, path)));
  return installed
    .map(([path, { version, license }]) => {
      const name = path.replace(/^.*node_modules\//, '');
      const texts = readdirSync(join(folder, path))
        .filter((file) => textNames.test(file))
        .sort()
        .map((file) => readFileSync(join(folder, path, file), 'utf8').trim());
      return [`${name} ${version}`, `Licence: ${license ?? 'see below'}`, ...texts].join('\n\n');
    })
    .join(`\n\n${'-'.repeat(80)}\n\n`)
    .concat('\n');
}

if (import.meta.main) process.stdout.write(thirdPartyNotices(process.argv[2] ?? '.'));
