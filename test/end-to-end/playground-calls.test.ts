import { chmod, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callKinds } from '../../src/playground/calls/calls.ts';
import { launchBrowser } from '../support/browser.ts';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { decoded, encoded, redGreenBlue } from '../support/pictures.ts';
import { newPlaygroundPage, type PlaygroundPage } from '../support/playground-page.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { buf, chromium, findProgram, grpcurl } from '../support/tools.ts';

const repository = fileURLToPath(new URL('../..', import.meta.url));
const jq = findProgram('jq');
const go = findProgram('go');
const python = findPythonWith('httpx', 'numpy');

type Name = (typeof callKinds)[number]['name'];

/** The file of a call, and the program that runs it; undefined where a program is missing. */
interface Runner {
  readonly main: string;
  readonly command: readonly string[];
}
const shell: Runner = { main: 'main.sh', command: ['sh', '-e', 'main.sh'] };
const canRunGrpc = jq !== undefined;
const runners: Record<Name, Runner | undefined> = {
  curl: findProgram('curl') === undefined ? undefined : shell,
  'image-client': shell,
  Python: python === undefined ? undefined : { main: 'main.py', command: [python, 'main.py'] },
  JavaScript: { main: 'main.mjs', command: [process.execPath, 'main.mjs'] },
  Go: go === undefined ? undefined : { main: 'main.go', command: [go, 'run', 'main.go'] },
  grpcurl: grpcurl && canRunGrpc ? shell : undefined,
  'buf curl': buf && canRunGrpc ? shell : undefined,
  Connect: { main: 'main.ts', command: [process.execPath, 'main.ts'] },
};

describe.skipIf(chromium === undefined)('the calls that the playground offers', () => {
  let service: Service;
  let origin: Origin;
  let browser: Browser;
  let playground: PlaygroundPage;
  let folder: string;

  beforeAll(async () => {
    const picture = await encoded(redGreenBlue, 'png');
    origin = await startOrigin(routes({ '/red%20green.png': sends(picture) }));
    service = await startService({ processor: { URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}` } });
    browser = await launchBrowser();
    playground = await newPlaygroundPage(browser);
  }, 120_000);

  afterAll(async () => {
    expect(playground?.complaints).toEqual([]);
    await browser?.close();
    await service?.stop();
    await origin?.[Symbol.asyncDispose]();
  });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'playground-'));
    await mkdir(join(folder, 'bin'));
    const client = join(folder, 'bin', 'image-client');
    await writeFile(client, `#!/bin/sh\nexec "${process.execPath}" "${repository}src/client/bin.ts" "$@"\n`);
    await chmod(client, 0o755);
    await symlink(join(repository, 'gen'), join(folder, 'gen'));
    await symlink(join(repository, 'node_modules'), join(folder, 'node_modules'));
    await writeFile(join(folder, 'package.json'), '{"type": "module"}');
    // The Python client reads its version from its distribution, which an installation has.
    const distribution = join(folder, 'image_service_client-0.dist-info');
    await mkdir(distribution);
    await writeFile(join(distribution, 'METADATA'), 'Name: image-service-client\nVersion: 0\n');
  });

  afterEach(() => rm(folder, { recursive: true }));

  /** Opens the page in a state, and enters the address of the processor. */
  async function open(query: string): Promise<void> {
    await playground.open(`${service.url}/?${query}`);
    await playground.page.getByRole('tab', { name: 'gRPC' }).click();
    await playground.page.fill('#processor', service.address);
  }

  /** Copies a call by its button, and returns the content of the clipboard. */
  async function copied({ tab, name }: (typeof callKinds)[number]): Promise<string> {
    const { page } = playground;
    await page.getByRole('tab', { name: tab, exact: true }).click();
    if (tab !== name) await page.getByRole('radio', { name, exact: true }).click();
    await page.click('#copy');
    await page.getByRole('button', { name: 'Copied' }).waitFor();
    const text = await page.evaluate<string>('navigator.clipboard.readText()');
    expect(text).toBe(await page.textContent('#snippet'));
    return text;
  }

  /** Runs a copied call in the folder, and returns the file that it writes. */
  async function runCopied(kind: (typeof callKinds)[number], output: string, end = ''): Promise<Buffer> {
    const text = await copied(kind);
    const { main, command } = runners[kind.name] ?? { main: '', command: [] };
    const [program = '', ...parameters] = command;
    await writeFile(join(folder, main), `${text}\n${end}`);
    const path = [join(folder, 'bin'), join(repository, 'node_modules/.bin'), process.env.PATH].join(':');
    const env = { PATH: path, PYTHONPATH: join(repository, 'clients/python/src') };
    const result = await run(program, parameters, { cwd: folder, env });
    expect(result, text).toMatchObject({ code: 0, stderr: '' });
    return readFile(join(folder, output));
  }

  describe('for a file whose name needs quotes', () => {
    const name = `it's "red"; $HOME.png`;
    let shown: Buffer;

    beforeAll(async () => {
      await open('recipe=own&output=image&filter=lanczos&width=7&height=2');
      const { announcedAfter, upload, downloaded } = playground;
      await announcedAfter(async () => upload(name, await encoded(redGreenBlue, 'png')));
      shown = (await downloaded()).bytes;
    }, 60_000);

    for (const kind of callKinds) {
      it.skipIf(runners[kind.name] === undefined)(
        `${kind.name} makes the pixels that are shown`,
        async () => {
          await writeFile(join(folder, name), await encoded(redGreenBlue, 'png'));
          const output = await decoded(await runCopied(kind, 'output.png'));
          expect(output).toEqual(await decoded(shown));
          expect(output).toMatchObject({ width: 7, height: 2, channels: 1 });
        },
      );
    }
  });

  describe('for a URL', () => {
    let shown: Buffer;

    beforeAll(async () => {
      await open(`url=${encodeURIComponent(origin.url('/red%20green.png'))}`);
      shown = (await playground.downloaded()).bytes;
    }, 60_000);

    for (const kind of callKinds) {
      it.skipIf(runners[kind.name] === undefined)(`${kind.name} makes the tensor of the preset`, async () => {
        // The client reads the tensor itself; NumPy writes it as the service does.
        const end = kind.name === 'Python' ? 'import numpy; numpy.save("output.npy", tensor)' : '';
        const output = await runCopied(kind, 'output.npy', end);
        expect(output.subarray(-602_112).equals(shown.subarray(-602_112))).toBe(true);
      });
    }
  });
});
