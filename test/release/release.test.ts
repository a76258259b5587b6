import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { contradictions, releaseNotes, statedVersions } from '../../.ci/release.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { run } from '../support/run.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const release = (words: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  run(process.execPath, [join(root, '.ci/release.ts'), ...words], {
    env: { REGISTRY: 'ghcr.io/Acme', GITHUB_REPOSITORY: '', ...environment },
  });

describe(contradictions, () => {
  it('finds no file that states another version than package.json', () => {
    expect(contradictions(statedVersions(), undefined)).toEqual([]);
  });

  it('finds every file that states another version than the tag', () => {
    const stated = statedVersions((path) => readFileSync(join(root, path), 'utf8'));
    expect(contradictions(stated, `v${packageJson.version}`)).toEqual([]);
    const wrong = contradictions(stated, 'v9.9.9');
    expect(wrong).toHaveLength(stated.length);
    expect(wrong[0]).toBe(`package.json states ${packageJson.version}, not 9.9.9`);
  });

  it('finds a file that states none', () => {
    const stated = statedVersions((path) =>
      path === 'Dockerfile' ? 'FROM scratch\n' : readFileSync(join(root, path), 'utf8'),
    );
    expect(contradictions(stated, undefined)).toEqual([
      `Dockerfile states no version, not ${packageJson.version}`,
    ]);
  });
});

describe(releaseNotes, () => {
  const changelog =
    '# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-11-29\n\n### Added\n- One.\n\n## 0.1.0\n- Old.\n';

  it('are the section of the version, without its heading', () => {
    expect(releaseNotes(changelog, '0.2.0')).toBe('### Added\n- One.\n');
    expect(releaseNotes(changelog, '0.1.0')).toBe('- Old.\n');
  });

  it.each(['0.2', '0.20.0', 'Unreleased'])('fail for %s, which has no section with text', (version) => {
    expect(() => releaseNotes(changelog, version)).toThrow(`no section "## ${version}"`);
  });
});

describe('.ci/release.ts', () => {
  const { version } = packageJson;

  it('shows what makes the assets, without making them', async () => {
    const { code, stdout } = await release(['assets', 'out', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout.toString()).toBe(`npm run --silent package -- --out out
python3 -m pip wheel --quiet --no-deps --wheel-dir out ./clients/python
helm package ./charts/image-service --destination out/chart
mv out/chart/image-service-${version}.tgz out/image-service-chart-${version}.tgz
rmdir out/chart
`);
  });

  it('shows how the images of two architectures become one tag', async () => {
    const { stdout } = await release(['index', 'image-api', 'sha256:aa', 'sha256:bb', '--dry-run']);
    const name = 'ghcr.io/acme/image-api';
    expect(stdout.toString()).toBe(
      `docker buildx imagetools create --tag ${name}:${version} --tag ${name}:latest ${name}@sha256:aa ${name}@sha256:bb
cosign sign --yes --recursive ${name}:${version}
`,
    );
  });

  it('shows what is published', async () => {
    const { stdout } = await release(['publish', 'out', '--dry-run']);
    expect(stdout.toString()).toBe(`helm push out/image-service-chart-${version}.tgz oci://ghcr.io/acme/charts
cosign sign --yes ghcr.io/acme/charts/image-service:${version}
gh release create v${version} --verify-tag --notes-file notes.md -- out/*
`);
  });

  it('links from the notes to the pages of the tag', async () => {
    const onGitHub = { GITHUB_SERVER_URL: 'https://github.com', GITHUB_REPOSITORY: 'acme/image' };
    const { stdout } = await release(['notes'], onGitHub);
    expect(stdout.toString()).toContain(
      `](https://github.com/acme/image/blob/v${version}/docs/upgrading.md)`,
    );
    expect(stdout.toString()).not.toMatch(/\]\(docs\//);
  });

  it('refuses to release a tag that the files contradict', async () => {
    expect(await release(['check', `v${version}`])).toMatchObject({ code: 0, stderr: '' });
    const wrong = await release(['check', 'v9.9.9']);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toContain(`Dockerfile.api states ${version}, not 9.9.9\n`);
  });

  it('is what the workflow runs', () => {
    const workflow = readFileSync(join(root, '.github/workflows/release.yaml'), 'utf8');
    const { jobs } = parse(workflow) as {
      readonly jobs: Readonly<Record<string, { steps?: { run?: string }[] }>>;
    };
    const steps = Object.values(jobs).flatMap(({ steps = [] }) =>
      steps.map(({ run: command = '' }) => command),
    );
    for (const step of ['check', 'notes', 'assets', 'index', 'publish']) {
      expect(
        steps.some((command) => command.includes(`node .ci/release.ts ${step}`)),
        step,
      ).toBe(true);
    }
  });
});
