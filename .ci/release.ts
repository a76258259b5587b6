import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/*
 * The steps of a release that are commands, for .github/workflows/release.yaml and for a try on any machine:
 *
 *   node .ci/release.ts check [TAG]           every file states the same version, which is the tag's
 *   node .ci/release.ts notes                 the section of CHANGELOG.md for that version
 *   node .ci/release.ts assets DIR            npm tarball, Python wheel, Helm chart, SBOM and SHA256SUMS
 *   node .ci/release.ts index IMAGE DIGESTS…  one tag for the images of all architectures, signed
 *   node .ci/release.ts publish DIR           the chart into the registry, signed, and the release with its assets
 *
 * Paths are relative to the checkout. With --dry-run the commands are printed and not run. REGISTRY is where index and publish push to, such as
 * ghcr.io/acme.
 */

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/** Where the version is stated. */
const statements: readonly (readonly [path: string, pattern: RegExp])[] = [
  ['package.json', /"version": "(.+)"/],
  ['package-lock.json', /"version": "(.+)"/],
  ['clients/python/pyproject.toml', /^version = "(.+)"$/m],
  ['charts/image-service/Chart.yaml', /^version: (.+)$/m],
  ['charts/image-service/Chart.yaml', /^appVersion: "?([^"\n]+)"?$/m],
  ['Dockerfile', /^ARG VERSION=(.+)$/m],
  ['Dockerfile.api', /^ARG VERSION=(.+)$/m],
  ['Dockerfile.processor', /^ARG VERSION=(.+)$/m],
  ['manifests/base/api.yaml', /image: image-api:(.+)$/m],
  ['manifests/base/processor.yaml', /image: image-processor:(.+)$/m],
  ['CHANGELOG.md', /^## (\d+\.\d+\.\d+\S*)/m],
];

/** The version that each file states; undefined where it states none. */
export function statedVersions(readFile: (path: string) => string = read) {
  return statements.map(([path, pattern]) => ({ path, version: pattern.exec(readFile(path))?.[1] }));
}

/**
 * What keeps a tag from being released: a line for each file that states another version.
 *
 * @param tag - `v0.2.0`; without one, all files must state what package.json states
 */
export function contradictions(
  stated: readonly { readonly path: string; readonly version: string | undefined }[],
  tag: string | undefined,
): string[] {
  const wanted = tag?.replace(/^v/, '') ?? stated[0]?.version;
  return stated
    .filter(({ version }) => version !== wanted)
    .map(({ path, version }) => `${path} states ${version ?? 'no version'}, not ${wanted}`);
}

/**
 * The section of a version, without its heading.
 *
 * @throws Error if the changelog has no text for it
 */
export function releaseNotes(changelog: string, version: string): string {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((text) => text.split(/\s/, 1)[0] === version);
  const notes = section?.slice(section.indexOf('\n')).trim();
  if (!notes) throw new Error(`CHANGELOG.md has no section "## ${version}" with text`);
  return `${notes}\n`;
}

type Command = readonly string[];

/** What makes the files of a release. The chart's own name is that of the npm tarball, so it gets another one. */
function assetCommands(folder: string, version: string): Command[] {
  return [
    ['npm', 'run', '--silent', 'package', '--', '--out', folder],
    ['python3', '-m', 'pip', 'wheel', '--quiet', '--no-deps', '--wheel-dir', folder, './clients/python'],
    ['helm', 'package', './charts/image-service', '--destination', join(folder, 'chart')],
    ['mv', join(folder, 'chart', `image-service-${version}.tgz`), join(folder, chartFile(version))],
    ['rmdir', join(folder, 'chart')],
  ];
}

const chartFile = (version: string): string => `image-service-chart-${version}.tgz`;

const isPrerelease = (version: string): boolean => version.includes('-');

/** One tag for the images of all architectures. The signature is of the digest that the tag has then. */
function indexCommands(
  registry: string,
  image: string,
  version: string,
  digests: readonly string[],
): Command[] {
  const name = `${registry}/${image}`;
  const sources = digests.map((digest) => `${name}@${digest}`);
  const tags = [version, ...(isPrerelease(version) ? [] : ['latest'])].flatMap((tag) => [
    '--tag',
    `${name}:${tag}`,
  ]);
  return [
    ['docker', 'buildx', 'imagetools', 'create', ...tags, ...sources],
    ['cosign', 'sign', '--yes', '--recursive', `${name}:${version}`],
  ];
}

/** `folder` contains the assets and no other file. */
function publishCommands(registry: string, folder: string, version: string): Command[] {
  const prerelease = isPrerelease(version) ? ['--prerelease'] : [];
  return [
    ['helm', 'push', join(folder, chartFile(version)), `oci://${registry}/charts`],
    ['cosign', 'sign', '--yes', `${registry}/charts/image-service:${version}`],
    [
      'gh',
      'release',
      'create',
      `v${version}`,
      '--verify-tag',
      ...prerelease,
      '--notes-file',
      'notes.md',
      '--',
      `${folder}/*`,
    ],
  ];
}

/** SHA256SUMS, as `sha256sum --check` reads it, over all other files of the folder. */
function writeChecksums(folder: string): void {
  const names = readdirSync(folder)
    .filter((name) => name !== 'SHA256SUMS')
    .sort();
  const lines = names.map((name) => {
    const digest = createHash('sha256').update(readFileSync(join(folder, name)));
    return `${digest.digest('hex')}  ${name}\n`;
  });
  writeFileSync(join(folder, 'SHA256SUMS'), lines.join(''));
}

function registryOf(environment: NodeJS.ProcessEnv): string {
  const { REGISTRY } = environment;
  if (!REGISTRY) throw new Error('REGISTRY is not set; for example ghcr.io/acme');
  // Names of images are in lower case; those of repositories need not be.
  return REGISTRY.toLowerCase();
}

/** Links to pages of the repository as they are in the tag, because a release has none beside it. */
function withAbsoluteLinks(notes: string, version: string, environment: NodeJS.ProcessEnv): string {
  const { GITHUB_SERVER_URL, GITHUB_REPOSITORY } = environment;
  if (!GITHUB_SERVER_URL || !GITHUB_REPOSITORY) return notes;
  const base = `${GITHUB_SERVER_URL}/${GITHUB_REPOSITORY}/blob/v${version}/`;
  return notes.replaceAll(/\]\((?!https?:|#)/g, `](${base}`);
}

function main(): void {
  process.chdir(root);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { 'dry-run': { type: 'boolean', default: false } },
  });
  const [step, ...rest] = positionals;
  const [first = ''] = rest;
  const { version } = JSON.parse(read('package.json')) as { readonly version: string };
  const isDry = values['dry-run'];
  const execute = (commands: readonly Command[]) => {
    for (const command of commands) {
      process.stdout.write(`${command.join(' ')}\n`);
      if (!isDry) runCommand(command);
    }
  };
  if (step === 'check') {
    const wrong = contradictions(statedVersions(), rest[0]);
    for (const line of wrong) process.stderr.write(`${line}\n`);
    if (wrong.length > 0) process.exitCode = 1;
  } else if (step === 'notes') {
    const notes = releaseNotes(read('CHANGELOG.md'), version);
    process.stdout.write(withAbsoluteLinks(notes, version, process.env));
  } else if (step === 'assets' && first !== '') {
    execute(assetCommands(first, version));
    if (isDry) return;
    const sbom = ['sbom', '--package-lock-only', '--omit=dev', '--sbom-format=cyclonedx'];
    writeFileSync(join(first, 'image-service.cdx.json'), execFileSync('npm', sbom));
    writeChecksums(first);
  } else if (step === 'index' && rest.length > 1) {
    execute(indexCommands(registryOf(process.env), first, version, rest.slice(1)));
  } else if (step === 'publish' && first !== '') {
    execute(publishCommands(registryOf(process.env), first, version));
  } else {
    process.stderr.write(
      'usage: release.ts check [TAG] | notes | assets DIR | index IMAGE DIGEST… | publish DIR\n',
    );
    process.exitCode = 2;
  }
}

/** Like a shell, it replaces a last argument `folder/*` by the files. */
function runCommand(command: Command): void {
  const [program = '', ...words] = command;
  const expanded = words.flatMap((word) =>
    word.endsWith('/*') ? readdirSync(word.slice(0, -2)).map((name) => join(word.slice(0, -2), name)) : word,
  );
  execFileSync(program, expanded, { stdio: ['ignore', 'inherit', 'inherit'] });
}

if (import.meta.main) main();
