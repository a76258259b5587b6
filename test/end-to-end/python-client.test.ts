import { hash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goldenLibraries, goldenPresets, picture } from '../parity/preset-goldens.ts';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { encoded, type Picture } from '../support/pictures.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

/*
 * clients/python: its own tests, by pytest, with the package as it is installed from its wheel, against both services.
 * .ci/run builds the wheel and installs it into a fresh environment, PYTHON_CLIENT.
 */

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Every 15th preset of the goldens: enough kinds of tensors, and few seconds. */
const everyNth = 15;

let folder: string;
let origin: Origin;
let service: Service;
let narrow: Service;

const python = findPythonWith('image_service_client', 'pytest', 'PIL');

beforeAll(async () => {
  if (python === undefined) return;
  folder = await mkdtemp(join(tmpdir(), 'python-client-'));
  const photo = await readFile(join(root, 'test/fixtures/sample.jpg'));
  origin = await startOrigin(routes({ '/photo.jpg': sends(photo, { 'content-type': 'image/jpeg' }) }));
  const keys = join(folder, 'keys.json');
  const entry = (id: string, key: string, more = {}) => ({ id, sha256: hash('sha256', key), ...more });
  await writeFile(
    keys,
    JSON.stringify({
      keys: [
        entry('open', 'open-key-of-a-team'),
        entry('slow', 'slow-key-of-a-team', { requests_per_second: 2, burst: 2 }),
      ],
    }),
  );
  [service, narrow] = await Promise.all([
    startService({ processor: { WORKERS: '1', URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}` } }),
    startService({ api: { API_KEYS_FILE: keys }, processor: { WORKERS: '1', MAX_QUEUE: '1' } }),
  ]);
  await writeGoldens(join(folder, 'goldens'));
}, 240_000);

afterAll(async () => {
  if (python === undefined) return;
  await Promise.all([service?.stop(), narrow?.stop()]);
  await origin?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** Pictures, what to ask of them, and the hashes of the tensors that the models' own libraries made. */
async function writeGoldens(target: string): Promise<void> {
  await mkdir(target);
  const goldens: Record<string, unknown> = {};
  for (const [index, { name, config, weights, tensor, cases }] of goldenPresets.entries()) {
    const [golden] = cases;
    if (index % everyNth !== 0 || golden === undefined) continue;
    const { data, ...size } = picture(golden.source);
    const file = join(target, `${index}.png`);
    await writeFile(file, await encoded({ pixels: data, ...size } as Picture, 'png'));
    for (const library of goldenLibraries) {
      const result = golden.results[library];
      if (result === undefined) continue;
      goldens[`${name}-${index}-${library}`] = {
        ...(config === undefined ? { preset: weights } : { config }),
        file,
        tensor,
        numerics: library,
        sha256: result.tensor,
      };
    }
  }
  await writeFile(join(target, 'goldens.json'), JSON.stringify(goldens));
}

function pytest(file: string) {
  return run(python ?? '', ['-m', 'pytest', '-p', 'no:cacheprovider', join('tests', file)], {
    cwd: join(root, 'clients/python'),
    env: {
      IMAGE_API_URL: service.url,
      NARROW_API_URL: narrow.url,
      PHOTO_URL: origin.url('/photo.jpg'),
      GOLDENS: join(folder, 'goldens'),
      CHECKOUT: root,
      PYTHONDONTWRITEBYTECODE: '1',
      IMAGE_API_KEY: undefined,
    },
  });
}

describe.skipIf(python === undefined)('the Python client', () => {
  it.for(['calls', 'async_client', 'streams', 'exchange', 'errors', 'faults', 'mapping', 'package'])(
    'passes test_%s.py',
    { timeout: 300_000 },
    async (name) => {
      const result = await pytest(`test_${name}.py`);
      expect(result.code, result.stdout + result.stderr).toBe(0);
    },
  );

  it.skipIf(findPythonWith('image_service_client', 'torch') !== python)(
    'passes test_torch.py',
    { timeout: 600_000 },
    async () => {
      const result = await pytest('test_torch.py');
      expect(result.code, result.stdout + result.stderr).toBe(0);
    },
  );
});
