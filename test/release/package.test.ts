import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { packageManifest } from '../../.ci/package.ts';
import packageJson from '../../package.json' with { type: 'json' };
import packageLock from '../../package-lock.json' with { type: 'json' };
import { run } from '../support/run.ts';
import { findProgram } from '../support/tools.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const npm = findProgram('npm');

const canUnshare =
  process.getuid?.() === 0 && ['unshare', 'ip', 'curl'].every((name) => findProgram(name) !== undefined);

/** Of a tensor of CLIP as npy: a header of 128 bytes and 3 × 224 × 224 floats. */
const clipBytes = 128 + 3 * 224 * 224 * 4;

/** The Node of the checkout, and another supported one: the gate installs it and sets NODE24. */
const nodes = [
  ['of the checkout', process.execPath],
  ['24', process.env.NODE24 ?? ''],
] as const;

describe(packageManifest, () => {
  it('keeps a package without a scope private, whose name on the public registry is not ours', () => {
    expect(packageManifest(packageJson, undefined)).toMatchObject({ name: 'image-service', private: true });
  });

  it('can be published under a scope', () => {
    const manifest = packageManifest(packageJson, '@acme');
    expect(manifest).toMatchObject({ name: '@acme/image-service', version: packageJson.version });
    expect(manifest).not.toHaveProperty('private');
  });
});

describe.skipIf(npm === undefined)('a checkout', () => {
  it.each(['image-client', 'image-service'])('has the program %s for npm exec', async (name) => {
    const result = await run(npm ?? '', ['exec', '--offline', '--', name, '--version'], { cwd: root });
    expect(result).toMatchObject({ code: 0, stdout: Buffer.from(`${name} ${packageJson.version}\n`) });
  });
});

/* The tarball of `npm run package`, installed by npm into an empty folder, and run there. */
describe.skipIf(npm === undefined)('the npm package', () => {
  let folder: string;
  let tarball: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'image-service-installed-'));
    const made = await run(process.execPath, [join(root, '.ci/package.ts'), '--out', folder], { cwd: root });
    expect(made.stderr).toBe('');
    tarball = made.stdout.toString().trim();
    await install(folder, '--prefer-offline');
  }, 240_000);
  afterAll(() => rm(folder, { recursive: true }));

  async function install(target: string, ...flags: string[]): Promise<void> {
    // With a manifest, npm takes this folder and no other one above it.
    await writeFile(join(target, 'package.json'), '{}');
    const words = ['install', ...flags, '--no-audit', '--no-fund', tarball];
    const installed = await run(npm ?? '', words, { cwd: target });
    expect(installed.code, installed.stderr).toBe(0);
  }

  const installedPackage = (path: string) => join(folder, 'node_modules', packageJson.name, path);
  /** The environment of a shell in which `node` is the given one. */
  const shell = (node: string) => ({
    ...process.env,
    PATH: [dirname(node), process.env.PATH].join(delimiter),
    IMAGE_API_URL: undefined,
    IMAGE_API_KEY: undefined,
  });
  const npx = (node: string, ...command: string[]) =>
    run('npx', ['--no-install', ...command], { cwd: folder, env: shell(node) });

  it('contains compiled programs, the kernels, the playground, pages and a licence, and nothing else', async () => {
    const files = await readdir(installedPackage('.'), { recursive: true });
    expect(files).toEqual(
      expect.arrayContaining([
        'dist/image-service.js',
        'dist/processor.js',
        'dist/worker.js',
        'build/kernels.wasm',
        'build/turbojpeg/LICENSE.txt',
        'build/turbojpeg/jpeg-turbo-linux-x64/libturbojpeg.so.0',
        'build/turbojpeg/jpeg-turbo-linux-x64-musl/libturbojpeg.so.0',
        'build/turbojpeg/jpeg-turbo-linux-arm64/libturbojpeg.so.0',
        'build/turbojpeg/jpeg-turbo-darwin-arm64/node-napi-v10.node',
        'build/playground/index.html',
        'proto/image/v1/processor.proto',
        'docs/README.md',
        'LICENSE',
        'CHANGELOG.md',
      ]),
    );
    expect(files.filter((name) => /^dist\/(start|api|probe)/.test(name))).toEqual([]);
    expect(files.filter((name) => name.endsWith('.ts') || name.startsWith('src'))).toEqual([]);
    const pages = files.filter((name) => name.startsWith('docs/') && name.includes('.'));
    expect(pages.filter((name) => !/\.(md|png|svg)$/.test(name))).toEqual([]);
    expect(files.filter((name) => name.startsWith('test/'))).toEqual([
      'test/fixtures',
      'test/fixtures/sample.jpg',
    ]);
    // libjpeg-turbo for five platforms is 2.0 MB of it.
    expect((await stat(tarball)).size).toBeLessThan(5_000_000);
  });

  it('installs without scripts, without Node, and with the versions of the lockfile', async () => {
    const manifest = JSON.parse(await readFile(installedPackage('package.json'), 'utf8'));
    expect(manifest).not.toHaveProperty('scripts');
    expect(manifest).not.toHaveProperty('devDependencies');
    const lock = JSON.parse(await readFile(join(folder, 'node_modules/.package-lock.json'), 'utf8'));
    const locked: Readonly<Record<string, { readonly version: string }>> = packageLock.packages;
    const versions = (packages: typeof locked) =>
      Object.entries(packages).map(([path, { version }]) => [path, version]);
    const dependencies = Object.fromEntries(
      Object.entries(lock.packages as typeof locked).filter(
        ([path]) => path !== `node_modules/${packageJson.name}`,
      ),
    );
    expect(versions(dependencies).length).toBeGreaterThan(30);
    expect(versions(locked)).toEqual(expect.arrayContaining(versions(dependencies)));
    expect(await readdir(join(folder, 'node_modules/.bin'))).not.toContain('node');
  });

  it('installs without a network from the cache of npm', async () => {
    const offline = join(folder, 'offline');
    await mkdir(offline);
    await install(offline, '--offline');
    await access(join(offline, 'node_modules', packageJson.name, 'dist/image-service.js'));
  }, 120_000);

  it.skipIf(!canUnshare)(
    "makes a preset's tensor where there is only loopback",
    async () => {
      const script = `set -e
      ip link set lo up
      node_modules/.bin/image-service & service=$!
      trap 'kill $service; wait $service' EXIT
      for _ in $(seq 600); do curl -sf -o /dev/null localhost:8080/readyz && break; sleep 0.1; done
      curl -sS --fail-with-body localhost:8080/v1/images -F preset=openai/clip-vit-base-patch32 \
        -F image=@${installedPackage('test/fixtures/sample.jpg')} -o clip.npy`;
      const alone = await run('unshare', ['--net', 'sh', '-c', script], {
        cwd: folder,
        env: { WORKERS: '1', PORT: undefined, PROCESSOR_URL: undefined },
      });
      expect(alone.code, alone.stderr).toBe(0);
      expect((await stat(join(folder, 'clip.npy'))).size).toBe(clipBytes);
    },
    120_000,
  );

  it('runs in one line from the tarball, and after a global installation', async () => {
    // The packages of npm's own cache, and a folder of the test's for those that npx installs.
    const { stdout } = await run(npm ?? '', ['config', 'get', 'cache']);
    const cache = join(folder, 'npm-cache');
    await mkdir(cache);
    await symlink(join(stdout.toString().trim(), '_cacache'), join(cache, '_cacache'));
    const once = await run('npx', ['--offline', '-y', '-p', tarball, 'image-service', '--version'], {
      cwd: folder,
      env: { npm_config_cache: cache },
    });
    expect(once.stdout.toString()).toBe(`image-service ${packageJson.version}\n`);
    const prefix = join(folder, 'global');
    const words = [
      'install',
      '--global',
      '--prefix',
      prefix,
      '--offline',
      '--no-audit',
      '--no-fund',
      tarball,
    ];
    expect(await run(npm ?? '', words, { cwd: folder })).toMatchObject({ code: 0 });
    const client = await run(join(prefix, 'bin/image-client'), ['--version'], { cwd: folder });
    expect(client.stdout.toString()).toBe(`image-client ${packageJson.version}\n`);
  }, 120_000);

  describe.each(nodes)('with Node %s', (_name, node) => {
    const missing = node === '';

    it.skipIf(missing)(
      'runs both services and the client by npx',
      async () => {
        const service = await startService(node);
        const curl = service.screen.split('\n').find((line) => line.trim().startsWith('curl '));
        const sent = await run('sh', ['-c', curl ?? 'false'], { cwd: folder });
        expect(sent.code, sent.stderr).toBe(0);
        const output = await sharp(await readFile(join(folder, 'output.jpg'))).metadata();
        expect(output).toMatchObject({ width: 1024, height: 768, channels: 1 });

        const [, api = ''] = /HTTP +(\S+)\/v1\/images/.exec(service.screen) ?? [];
        expect(await (await fetch(api)).text()).toContain('<!doctype html>');
        const sample = installedPackage('test/fixtures/sample.jpg');
        const clip = ['--api', api, '--preset', 'openai/clip-vit-base-patch32', sample, 'clip.npy'];
        expect(await npx(node, 'image-client', ...clip)).toMatchObject({ code: 0, stderr: '' });
        expect((await stat(join(folder, 'clip.npy'))).size).toBe(clipBytes);

        await service.end();
      },
      120_000,
    );

    it.skipIf(missing)(
      'runs only one of the services',
      async () => {
        const help = await npx(node, 'image-service', '--help');
        expect(help.stdout.toString()).toContain('Usage: image-service [api | processor]');
        const child = start(node, ['processor'], { PORT: '0', METRICS_PORT: '0', WORKERS: '1' });
        for await (const line of createInterface(child.stdout as NonNullable<typeof child.stdout>)) {
          const { msg, jpegDecoder } = JSON.parse(line);
          if (msg !== 'image-processor listens') continue;
          expect(jpegDecoder).toBe('libjpeg-turbo 3.1.3 (bundled)');
          break;
        }
        const exited = once(child, 'exit');
        process.kill(-(child.pid as number), 'SIGINT');
        await exited;
      },
      120_000,
    );

    it.skipIf(missing)('has versions, and says which arguments are allowed', async () => {
      for (const name of ['image-service', 'image-client']) {
        const { stdout } = await npx(node, name, '--version');
        expect(stdout.toString()).toBe(`${name} ${packageJson.version}\n`);
      }
      expect(await npx(node, 'image-service', 'everything')).toMatchObject({
        code: 2,
        stderr:
          'image-service: "everything" is no service; allowed: api, processor, or no argument for both.\n',
      });
    });
  });

  /** `npx image-service` in a process group of its own, as a terminal makes it. */
  function start(node: string, words: string[], environment: Readonly<Record<string, string>>): ChildProcess {
    const child = spawn('npx', ['--no-install', 'image-service', ...words], {
      cwd: folder,
      env: { ...shell(node), ...environment },
      stdio: ['ignore', 'pipe', 'inherit'],
      detached: true,
    });
    onTestFinished(() => {
      if (child.exitCode === null && child.signalCode === null)
        process.kill(-(child.pid as number), 'SIGKILL');
    });
    return child;
  }

  async function startService(node: string) {
    const child = start(node, [], { PORT: '0', PROCESSOR_PORT: '0', METRICS_PORT: '0', WORKERS: '1' });
    let screen = '';
    const lines = createInterface(child.stdout as NonNullable<typeof child.stdout>);
    for await (const line of lines) {
      screen += `${line}\n`;
      if (line === 'End: Ctrl+C') break;
    }
    const [, api = ''] = /HTTP +(\S+)\/v1\/images/.exec(screen) ?? [];
    return {
      screen,
      /** Ctrl+C, after which nothing listens any more. */
      async end() {
        process.kill(-(child.pid as number), 'SIGINT');
        const up = () => fetch(`${api}/healthz`).then(Boolean, () => false);
        await expect.poll(up, { timeout: 60_000 }).toBe(false);
      },
    };
  }
});
