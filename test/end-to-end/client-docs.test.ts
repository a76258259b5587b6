import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { encoded, gradient } from '../support/pictures.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';

const page = fileURLToPath(new URL('../../docs/cli.md', import.meta.url));
const bin = fileURLToPath(new URL('../../src/client/bin.ts', import.meta.url));
const bash = findProgram('bash');

interface Example {
  readonly command: string;
  readonly expected: string;
}

/** The commands of the page's console blocks, each with its expected output. */
function examplesIn(text: string): Example[] {
  return [...text.matchAll(/^```console\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const end = part.indexOf('\n');
        return { command: part.slice(0, end), expected: part.slice(end + 1) };
      }),
  );
}

/** A pattern in which an ellipsis matches any output. */
function pattern(expected: string): RegExp {
  const parts = expected.split('…').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*?')}$`, 's');
}

const examples = examplesIn(await readFile(page, 'utf8'));

describe.skipIf(bash === undefined)('docs/cli.md', () => {
  let service: Service;
  let folder: string;
  beforeAll(async () => {
    service = await startService();
    folder = await mkdtemp(join(tmpdir(), 'image-client-docs-'));
    await mkdir(join(folder, 'photos', 'birds'), { recursive: true });
    await writeFile(join(folder, 'photos', 'cat.jpg'), await encoded(gradient(60, 40), 'jpeg'));
    await writeFile(join(folder, 'photos', 'cat.png'), await encoded(gradient(40, 60), 'png'));
    await writeFile(join(folder, 'photos', 'birds', 'owl.webp'), await encoded(gradient(50, 50), 'webp'));
    const [, table = ''] = /^```csv\n(.*?)^```$/ms.exec(await readFile(page, 'utf8')) ?? [];
    await writeFile(join(folder, 'list.csv'), table);
    await mkdir(join(folder, 'bin'));
    await symlink(bin, join(folder, 'bin', 'image-client'));
  });
  afterAll(async () => {
    await service.stop();
    await rm(folder, { recursive: true });
  });

  it('has examples', () => {
    expect(examples.length).toBeGreaterThan(15);
  });

  // In their order: later ones build on earlier ones, as for a reader.
  it.for(examples)('$command', async ({ command, expected }) => {
    const path = [join(folder, 'bin'), dirname(process.execPath), process.env.PATH].join(delimiter);
    const result = await run(bash ?? '', ['--norc', '-c', `exec 2>&1; ${command}`], {
      cwd: folder,
      env: {
        PATH: path,
        LC_ALL: 'C',
        IMAGE_API_URL: service.url,
        IMAGE_PROCESSOR_URL: service.address,
        IMAGE_API_KEY: undefined,
      },
    });
    // On a loaded machine a job takes longer than the five seconds between two lines of progress.
    const output = result.stdout.toString().replace(/^image-client: \d+ of \d+ \(.*\n/gm, '');
    expect(output).toMatch(pattern(expected));
  });
});
