import { access, mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { run } from '../support/run.ts';
import { findProgram } from '../support/tools.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const npm = findProgram('npm') ?? 'npm';

/* The program as a dependency of another package: packed by npm, unpacked below node_modules. */
describe('the program image-client', () => {
  let folder: string;
  let installed: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-client-bin-'));
    const packed = await run(npm, ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      cwd: root,
    });
    const tarball = join(folder, packed.stdout.toString().trim());
    await mkdir(join(folder, 'node_modules', '.bin'), { recursive: true });
    expect(await run('tar', ['-xzf', tarball, '-C', join(folder, 'node_modules')])).toMatchObject({
      code: 0,
    });
    // As npm installs it: the package, its dependencies inside, and a link to its bin.
    installed = join(folder, 'node_modules', 'package');
    await symlink(join(root, 'node_modules'), join(installed, 'node_modules'));
    await symlink(
      join(installed, packageJson.bin['image-client']),
      join(folder, 'node_modules', '.bin', 'image-client'),
    );
  }, 60_000);
  afterAll(() => rm(folder, { recursive: true }));

  const installedClient = (...parameters: string[]) =>
    run(process.execPath, [join(folder, 'node_modules', '.bin', 'image-client'), ...parameters], {
      cwd: folder,
    });

  it('is packed with everything that it needs, and installs without scripts', async () => {
    const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({ private: true, bin: { 'image-client': 'src/client/bin.js' } });
    await access(join(installed, 'gen'));
  });

  it('runs below node_modules, where Node runs no TypeScript, without a warning', async () => {
    expect(await installedClient('--version')).toMatchObject({
      code: 0,
      stdout: Buffer.from(`image-client ${packageJson.version}\n`),
      stderr: '',
    });
  });

  it('finds its commands there', async () => {
    expect(await installedClient('job', '--dry-run', 'http://h/a.png', 'out')).toMatchObject({
      code: 0,
      stdout: expect.objectContaining({ length: expect.any(Number) }),
      stderr: '',
    });
    expect(await installedClient('completion', 'bash')).toMatchObject({ code: 0, stderr: '' });
    const doctor = await installedClient(
      'doctor',
      '--api',
      'http://127.0.0.1:1',
      '--processor',
      '127.0.0.1:1',
    );
    expect(doctor).toMatchObject({ code: 1, stderr: '' });
  });

  it('runs in a checkout through npm exec', async () => {
    const result = await run(npm, ['exec', '--offline', '--', 'image-client', '--version'], { cwd: root });
    expect(result).toMatchObject({ code: 0, stdout: Buffer.from(`image-client ${packageJson.version}\n`) });
  });
});
