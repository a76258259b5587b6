import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startScriptedProcessor, startTestApi } from '../support/api.ts';
import { run } from '../support/run.ts';
import { findProgram } from '../support/tools.ts';

const root = new URL('../../', import.meta.url);
const security = readFileSync(new URL('SECURITY.md', root), 'utf8');

/** The programs of a language in SECURITY.md, in their order. */
function programs(language: string): string[] {
  return [...security.matchAll(new RegExp(`\`\`\`${language}\\n(.*?)\`\`\``, 'gs'))].map(
    ([, text]) => text ?? '',
  );
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'security-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

const openssl = findProgram('openssl');
const python = findProgram('python3');

describe('SECURITY.md', () => {
  const rows = security.split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('| threat'));
  const shown = rows.map((row) => {
    const files = [...row.matchAll(/`(test\/[\w./-]+\.test\.ts)`((?:[:,] "[^"]+")+)/g)];
    return files.flatMap(([, file = '', titles = '']) =>
      [...titles.matchAll(/"([^"]+)"/g)].map(([, title = '']) => [file, title] as const),
    );
  });

  it('shows each defence by a test', () => {
    expect(rows.length).toBeGreaterThan(15);
    expect(rows.filter((_row, at) => shown[at]?.length === 0)).toEqual([]);
  });

  it('names tests that there are, by their titles', () => {
    const titled = (file: string, title: string): boolean => {
      const text = readFileSync(new URL(file, root), 'utf8');
      return [`'${title}'`, `"${title}"`].some((literal) => text.includes(literal));
    };
    expect(shown.flat().filter(([file, title]) => !titled(file, title))).toEqual([]);
  });

  describe.skipIf(openssl === undefined)('(its programs want openssl)', () => {
    /** Runs the shell's programs in a folder, and gives the variables that they set. */
    async function shell(folder: string, names: readonly string[]): Promise<Record<string, string>> {
      const echo = names.map((name) => `printf '%s\\n' "$${name}"`).join('\n');
      const script = ['set -euo pipefail', 'cd "$0"', ...programs('sh'), echo].join('\n');
      const { code, stdout, stderr } = await run('bash', ['-c', script, folder], {});
      expect(code, stderr).toBe(0);
      const lines = stdout.toString().trim().split('\n');
      return Object.fromEntries(names.map((name, at) => [name, lines[at] ?? '']));
    }

    it('makes keys, secrets and links that let in', async () => {
      const folder = newFolder();
      const { key = '', nightly = '', link = '' } = await shell(folder, ['key', 'nightly', 'link']);
      await using processor = await startScriptedProcessor();
      await using api = await startTestApi({
        PROCESSOR_URL: processor.url,
        API_KEYS_FILE: join(folder, 'api-keys.json'),
        LINK_SECRETS_FILE: join(folder, 'link-secrets.json'),
      });
      const post = (headers: Record<string, string>) =>
        fetch(`${api.url}/v1/images`, { method: 'POST', body: new Uint8Array(1), headers });
      expect((await post({ 'X-API-Key': key })).status).toBe(200);
      expect((await post({ 'X-API-Key': nightly })).headers.get('ratelimit-policy')).toBe('"key";q=50;w=10');
      expect((await post({})).status).toBe(401);
      expect((await fetch(api.url + link)).status).toBe(200);
      expect((await fetch(api.url + link.replace('width=224', 'width=225'))).status).toBe(403);
    });

    it.skipIf(python === undefined)('signs in Python what is good here, whatever is in it', async () => {
      const folder = newFolder();
      const { secret = '' } = await shell(folder, ['secret']);
      const url = "https://images.example/a b/ä+ö/~!*'()?c=d&e=%2F#f";
      const [program = ''] = programs('python');
      const call = 'import sys; print(signed(sys.argv[1], 60, url=sys.argv[2], width="7", fit="cover"))';
      const signed = await run(python ?? '', ['-c', `${program}\n${call}`, secret, url], {});
      expect(signed.code, signed.stderr).toBe(0);
      await using processor = await startScriptedProcessor();
      await using api = await startTestApi({
        PROCESSOR_URL: processor.url,
        LINK_SECRETS_FILE: join(folder, 'link-secrets.json'),
      });
      expect((await fetch(api.url + signed.stdout.toString().trim())).status).toBe(200);
      expect(processor.request().source).toEqual({ case: 'url', value: url });
    });
  });
});
