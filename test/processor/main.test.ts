import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { run } from '../support/run.ts';

const program = fileURLToPath(new URL('../../src/processor/main.ts', import.meta.url));
const environment = { HOST: '127.0.0.1', PORT: '0', METRICS_PORT: '0', WORKERS: '1' };

async function takenPort(): Promise<string> {
  const other = createServer();
  await new Promise<void>((resolve) => void other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  return String((other.address() as AddressInfo).port);
}

describe('image-processor', () => {
  it('ends with 78 and one line when TURBOJPEG_LIBRARY cannot be loaded', async () => {
    const { code, stderr } = await run(process.execPath, [program], {
      env: { ...environment, TURBOJPEG_LIBRARY: '/no/such/libturbojpeg.so' },
    });
    expect(code).toBe(78);
    expect(stderr).toBe(
      'image-processor cannot start:\nTURBOJPEG_LIBRARY is "/no/such/libturbojpeg.so"; allowed: a TurboJPEG library that can be loaded, such as libturbojpeg.so.0, or none\n',
    );
  });

  it.each([
    ['heic', 'libheif-js', '1.23.2'],
    ['jxl', 'jxl-oxide-wasm', '0.12.5'],
  ])('ends with 78 and one line when %s is listed without its package', async (format, name, version) => {
    // A loader that hides the package, as in an installation without it.
    const hide = `data:text/javascript,import { registerHooks } from "node:module"; registerHooks({ resolve: (name, context, next) => { if (name.startsWith("${name}")) throw new Error("not installed"); return next(name, context); } });`;
    const { code, stderr } = await run(process.execPath, [program], {
      env: { ...environment, SOURCE_FORMATS: `jpeg,${format}`, NODE_OPTIONS: `--import=${encodeURI(hide)}` },
    });
    expect(code).toBe(78);
    expect(stderr).toBe(
      `image-processor cannot start:\nSOURCE_FORMATS contains "${format}"; allowed: ${format} with the package ${name}, which cannot be loaded, so run "npm install --no-save --save-prod ${name}@${version}" first\n`,
    );
  });

  it.each(['PORT', 'METRICS_PORT'])('exits with 78 and ends its workers when %s is in use', async (name) => {
    const port = await takenPort();
    const { code, stderr } = await run(process.execPath, [program], {
      env: { ...environment, [name]: port },
    });
    expect(code).toBe(78);
    expect(stderr).toBe(
      `image-processor cannot start:\n${name} is "${port}"; allowed: a port that no other process listens on\n`,
    );
  });

  it.each([
    [{ TURBOJPEG_LIBRARY: 'none' }, 'sharp'],
    [{ TURBOJPEG_LIBRARY: '' }, expect.stringMatching(/^(libjpeg-turbo \d+\.\d+\.\d+ \(\w+\)|sharp)$/)],
    [{ WORKRES: '7', TURBOJPEG_LIBRARY: 'none' }, 'sharp'],
  ])('logs the JPEG decoder, and warns of misspelt variables: %j', async (variables, jpegDecoder) => {
    const { code, stdout } = await run(process.execPath, [program], {
      env: { ...environment, ...variables },
      started: (child) => {
        child.stdout?.on('data', (chunk) => String(chunk).includes('listens') && child.kill('SIGTERM'));
      },
    });
    expect(code).toBe(0);
    const lines = stdout
      .toString()
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: string; msg: string });
    expect(lines).toContainEqual(expect.objectContaining({ msg: 'image-processor listens', jpegDecoder }));
    expect(lines.filter(({ level }) => level === 'warn').map(({ msg }) => msg)).toEqual(
      'WORKRES' in variables ? ['The environment variable WORKRES is not read; did you mean WORKERS?'] : [],
    );
  });
});
