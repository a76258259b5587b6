import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import process from 'node:process';
import { json } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

/*
 * libjpeg-turbo as files of our own, where no package manager installs it:
 *
 * - `node turbojpeg.ts copy FOLDER PLATFORM…` copies the library for platforms such as linux-x64, and its licence.
 * - `node turbojpeg.ts sbom` adds it to the CycloneDX document on standard input.
 */

const here = fileURLToPath(new URL('.', import.meta.url));

/** Name, version and licence of the bundled library, as in the file of its licence. */
const libraryNotice = readFileSync(join(here, 'libjpeg-turbo.txt'), 'utf8');

const [, name = '', version = ''] = /^(\S+) (\S+)$/m.exec(libraryNotice) ?? [];

/** The platforms of the npm package, by the names of @julusian/jpeg-turbo. */
export const packagedPlatforms = ['linux-x64', 'linux-x64-musl', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** Copies the library for each platform, at the paths of @julusian/jpeg-turbo's prebuilds. */
export function copyTurboJpeg(target: string, platforms: readonly string[]): void {
  const prebuilds = join(here, '../node_modules/@julusian/jpeg-turbo/prebuilds');
  for (const platform of platforms) {
    // On macOS the library is a part of the addon.
    const file = platform.startsWith('darwin') ? 'node-napi-v10.node' : 'libturbojpeg.so.0';
    const [found] = globSync(`jpeg-turbo-${platform}/${file}`, { cwd: prebuilds });
    if (found === undefined) throw new Error(`@julusian/jpeg-turbo has no library for ${platform}`);
    mkdirSync(dirname(join(target, found)), { recursive: true });
    cpSync(join(prebuilds, found), join(target, found));
  }
  writeFileSync(join(target, 'LICENSE.txt'), libraryNotice);
}

/** Adds the library to a CycloneDX document in JSON. */
function withTurboJpeg(sbom: { readonly components: readonly unknown[] }) {
  const purl = `pkg:github/libjpeg-turbo/libjpeg-turbo@${version}`;
  const licenses = ['IJG', 'BSD-3-Clause', 'Zlib'].map((id) => ({ license: { id } }));
  const component = { 'bom-ref': purl, type: 'library', name, version, purl, licenses };
  return { ...sbom, components: [...sbom.components, component] };
}

if (import.meta.main) {
  const [command, target = '', ...platforms] = process.argv.slice(2);
  if (command === 'copy') copyTurboJpeg(target, platforms);
  else {
    const sbom = (await json(process.stdin)) as Parameters<typeof withTurboJpeg>[0];
    process.stdout.write(`${JSON.stringify(withTurboJpeg(sbom), null, 2)}\n`);
  }
}
