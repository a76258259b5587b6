import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../support/browser.ts';
import { startInferenceServer } from '../support/inference-server.ts';
import { decoded, encoded, photoLike, solid } from '../support/pictures.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { chromium } from '../support/tools.ts';

/*
 * Each program of examples/, run as a reader would run it, against both services.
 */

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));

const pythonWithRequests = findPythonWith('requests', 'numpy');
const pythonWithTransformers = findPythonWith('image_service_client', 'torch', 'transformers', 'PIL');
const pythonWithClient = findPythonWith('image_service_client');
const pythonWithGrpc = findPythonWith('grpc', 'grpc_tools', 'grpc_reflection', 'numpy');
const pythonWithTritonHttp = findPythonWith('requests', 'numpy', 'tritonclient.http');
const pythonWithTritonGrpc = findPythonWith('grpc', 'grpc_reflection', 'tritonclient.grpc');

/** Programs that ran, by their path under examples/. */
const ran = new Set<string>();

let service: Service;
let allowed: Awaited<ReturnType<typeof servePage>>;
let folder: string;
let photo: string;
let broken: string;

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [join(examples, 'typescript/browser/page.ts')],
    bundle: true,
    format: 'esm',
    write: false,
  });
  const page = await readFile(join(examples, 'typescript/browser/index.html'), 'utf8');
  allowed = await servePage(page, outputFiles[0]?.text ?? '');
  service = await startService({ api: { CORS_ORIGINS: allowed.origin }, processor: { WORKERS: '1' } });
  folder = await mkdtemp(join(tmpdir(), 'examples-'));
  photo = join(folder, 'red.png');
  broken = join(folder, 'broken.jpg');
  await writeFile(photo, await encoded(solid(300, 200, [255, 0, 0]), 'png'));
  await writeFile(broken, 'no image');
});

afterAll(async () => {
  await service?.stop();
  allowed?.close();
  await rm(folder, { recursive: true, force: true });
});

async function servePage(page: string, script: string) {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
    response.end(isScript ? script : page);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Runs a program of examples/ with the addresses of the services. */
async function runExample(program: string | undefined, path: string, parameters: string[], environment = {}) {
  ran.add(path);
  const result = await run(program ?? '', [join(examples, path), ...parameters], {
    cwd: folder,
    env: { IMAGE_API_URL: service.url, IMAGE_PROCESSOR_URL: service.address, ...environment },
  });
  return { code: result.code, stdout: result.stdout.toString(), stderr: result.stderr };
}

/** Red as CLIP's preprocessing has it: (1 − 0.48145466) / 0.26862954, and (0 − mean) / std for green and blue. */
const redOfClip = '(1, 3, 224, 224) float32 mean of each channel: [1.9303, -1.7521, -1.4802]\n';

describe('examples/python', () => {
  it.skipIf(pythonWithRequests === undefined)('http_image.py makes an image', async () => {
    const result = await runExample(pythonWithRequests, 'python/http_image.py', [photo, 'gray.png']);
    expect(result).toEqual({ code: 0, stdout: 'image/png 1024 x 768\n', stderr: '' });
    const gray = await decoded(await readFile(join(folder, 'gray.png')));
    expect(gray).toMatchObject({ width: 1024, height: 768, channels: 1 });
    expect(gray.pixels.every((value) => value === 76)).toBe(true);
  });

  it.skipIf(pythonWithRequests === undefined)('http_image.py ends with the reason of a failure', async () => {
    const result = await runExample(pythonWithRequests, 'python/http_image.py', [broken, 'gray.png']);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/^FORMAT_UNSUPPORTED: /) });
  });

  it.skipIf(pythonWithRequests === undefined)("http_tensor.py loads a model's tensor", async () => {
    const result = await runExample(pythonWithRequests, 'python/http_tensor.py', [photo]);
    expect(result).toEqual({ code: 0, stdout: redOfClip, stderr: '' });
  });

  it.skipIf(pythonWithTransformers === undefined)(
    "vision_model.py gets the model's output from the service's tensors",
    async () => {
      const model = join(folder, 'vit');
      const picture = join(folder, 'picture.png');
      await writeFile(picture, await encoded(photoLike(333, 210), 'png'));
      const maker = fileURLToPath(new URL('tiny_vision_model.py', import.meta.url));
      const made = await run(pythonWithTransformers ?? '', [maker, picture, model], {
        env: { HF_HUB_OFFLINE: '1' },
      });
      expect(made.stdout.toString(), made.stderr).toMatch(/^\['pixel_values'\] \(1, 17, 32\) \S+\n$/);
      const result = await runExample(pythonWithTransformers, 'python/vision_model.py', [picture, model], {
        HF_HUB_OFFLINE: '1',
      });
      expect(result.stdout, result.stderr).toBe(made.stdout.toString());
    },
    120_000,
  );

  it.skipIf(pythonWithClient === undefined)(
    'client_folder.py goes on after an image that fails',
    async () => {
      const pictures = join(folder, 'pictures');
      await mkdir(pictures);
      for (const name of ['a.png', 'c.png']) await writeFile(join(pictures, name), await readFile(photo));
      await writeFile(join(pictures, 'b.jpg'), 'no image');
      const result = await runExample(pythonWithClient, 'python/client_folder.py', [pictures, 'npz']);
      const lines = ['a.png', 'c.png'].map((name) => `${name} {'pixel_values': (1, 3, 224, 224)}\n`);
      expect(result).toMatchObject({
        code: 1,
        stdout: lines.join(''),
        stderr: expect.stringMatching(/^b\.jpg: FORMAT_UNSUPPORTED: [^\n]*\n$/),
      });
      expect((await readdir(join(folder, 'npz'))).sort()).toEqual(['a.png.npz', 'c.png.npz']);
    },
  );

  it.skipIf(pythonWithGrpc === undefined)('grpc_tensor.py makes its stubs when it runs', async () => {
    const result = await runExample(pythonWithGrpc, 'python/grpc_tensor.py', [photo]);
    // Red by ImageNet's mean and deviation: (1 − 0.485) / 0.229, −0.456 / 0.224, −0.406 / 0.225.
    const stdout = '(1, 3, 224, 224) float32 mean of each channel: [2.2489, -2.0357, -1.8044]\n';
    expect(result).toEqual({ code: 0, stdout, stderr: '' });
  });

  it.skipIf(pythonWithGrpc === undefined)('grpc_tensor.py ends with the code of a failure', async () => {
    const result = await runExample(pythonWithGrpc, 'python/grpc_tensor.py', [broken]);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/^INVALID_ARGUMENT: /) });
  });

  it.skipIf(pythonWithGrpc === undefined)('grpc_by_reflection.py needs no protos', async () => {
    const result = await runExample(pythonWithGrpc, 'python/grpc_by_reflection.py', [photo]);
    expect(result).toEqual({ code: 0, stdout: 'image/png 1024 x 768 of 300 x 200\n', stderr: '' });
  });

  it.skipIf(pythonWithGrpc === undefined)('grpc_stream.py goes on after an image that fails', async () => {
    const photos = join(folder, 'photos');
    await mkdir(photos);
    const names = Array.from({ length: 40 }, (_, at) => `red-${String(at).padStart(2, '0')}.png`);
    const bytes = await readFile(photo);
    for (const name of names) await writeFile(join(photos, name), bytes);
    await writeFile(join(photos, 'broken.jpg'), 'no image');
    const result = await runExample(pythonWithGrpc, 'python/grpc_stream.py', [photos, 'tensors']);
    expect(result).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^broken\.jpg: FORMAT_UNSUPPORTED: [^\n]*\n$/),
    });
    expect(result.stdout.trim().split('\n').sort()).toEqual(names.map((name) => `${name} [1, 3, 224, 224]`));
    expect((await readdir(join(folder, 'tensors'))).sort()).toEqual(names.map((name) => `${name}.npy`));
  });
});

describe('examples/typescript', () => {
  it('compiles', async () => {
    const result = await run(join(root, 'node_modules/.bin/tsc'), ['-p', join(examples, 'typescript')]);
    expect(result.stdout.toString()).toBe('');
    expect(result.code).toBe(0);
  });

  it('node-grpc.ts calls the processor', async () => {
    const path = 'typescript/node-grpc.ts';
    const result = await runExample(process.execPath, path, [photo, 'gray.webp']);
    expect(result).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^image\/webp, 1024 × 768, \d+ bytes\n$/),
      stderr: '',
    });
    expect(await sharp(join(folder, 'gray.webp')).metadata()).toMatchObject({ width: 1024, height: 768 });
  });

  it('node-grpc.ts prints the reason of a failure', async () => {
    const result = await runExample(process.execPath, 'typescript/node-grpc.ts', [broken, 'gray.webp']);
    expect(result).toMatchObject({ code: 1, stderr: expect.stringMatching(/^FORMAT_UNSUPPORTED: /) });
  });

  it.skipIf(chromium === undefined)('browser/ shows in a page what comes back', async () => {
    for (const file of ['index.html', 'page.ts']) ran.add(`typescript/browser/${file}`);
    const browser = await launchBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`${allowed.origin}/?api=${service.url}`);
      await page.locator('#file').setInputFiles(photo);
      await page.locator('#words', { hasText: 'image/png, 1024 × 768' }).waitFor();
      const size = await page.evaluate<[number, number]>(`(async () => {
        await picture.decode();
        return [picture.naturalWidth, picture.naturalHeight];
      })()`);
      expect(size).toEqual([1024, 768]);
      await page.locator('#file').setInputFiles(broken);
      await page.locator('#words', { hasText: 'FORMAT_UNSUPPORTED: ' }).waitFor();
    } finally {
      await browser.close();
    }
  });
});

/** The inputs that a config.pbtxt of Triton declares, without the axis of the batch. */
function inputsOf(config: string) {
  return [...config.matchAll(/^input \{ name: "(\w+)" data_type: TYPE_(\w+) dims: \[ (.+) \] \}$/gm)].map(
    ([, name = '', datatype = '', dims = '']) => ({ name, datatype, dims: dims.split(', ').map(Number) }),
  );
}

describe('examples/triton', () => {
  let clip: Buffer;
  beforeAll(async () => {
    const url = `${service.url}/v1/images?preset=clip-vit-base-patch32&format=raw`;
    const response = await fetch(url, { method: 'POST', body: await readFile(photo) });
    clip = Buffer.from(await response.arrayBuffer());
  });

  it('sends a red tensor', () => {
    const values = new Float32Array(clip.buffer.slice(clip.byteOffset, clip.byteOffset + clip.length));
    expect(values).toHaveLength(3 * 224 * 224);
    expect([values[0], values[224 * 224], values[2 * 224 * 224]].map((value) => value?.toFixed(4))).toEqual([
      '1.9303',
      '-1.7521',
      '-1.4802',
    ]);
  });

  it.for([
    ['infer_http.py', pythonWithRequests],
    ['infer_tritonclient.py', pythonWithTritonHttp],
  ] as const)('%s hands the tensor on as it came', async ([file, python], { skip }) => {
    if (python === undefined) return skip('no Python with its packages');
    await using models = await startInferenceServer();
    const result = await runExample(python, `triton/${file}`, [photo, 'clip', 'pixel_values'], {
      MODEL_SERVER_URL: models.url,
    });
    expect(result).toEqual({ code: 0, stdout: 'length INT32 [1, 1] [602112]\n', stderr: '' });
    const [input, ...more] = models.takeInputs();
    expect(more).toEqual([]);
    expect(input).toMatchObject({
      model: 'clip',
      name: 'pixel_values',
      datatype: 'FP32',
      shape: [1, 3, 224, 224],
    });
    expect(input?.bytes.equals(clip)).toBe(true);
  });

  it.skipIf(pythonWithRequests === undefined)(
    'infer_open_inference.py sends what the first step of the ensemble takes',
    async () => {
      await using models = await startInferenceServer();
      const result = await runExample(
        pythonWithRequests,
        'triton/infer_open_inference.py',
        [photo, 'detection'],
        { MODEL_SERVER_URL: models.url },
      );
      expect(result).toEqual({ code: 0, stdout: 'length INT32 [1, 2] [11520000, 7680000]\n', stderr: '' });
      const seen = models.takeInputs();
      const declared = await Promise.all(
        ['detection', 'detr'].map(async (model) =>
          inputsOf(await readFile(join(examples, `triton/models/${model}/config.pbtxt`), 'utf8')),
        ),
      );
      for (const inputs of declared) {
        expect(
          inputs.map(({ name, datatype, dims }, at) => ({
            name,
            datatype,
            // Each −1 stands for a side of any length.
            shape: [1, ...dims.map((side, axis) => (side === -1 ? seen[at]?.shape[axis + 1] : side))],
          })),
        ).toEqual(seen.map(({ name, datatype, shape }) => ({ name, datatype, shape: [...shape] })));
      }
    },
  );

  it.skipIf(pythonWithTritonGrpc === undefined)('infer_grpc.py hands the tensor on as it came', async () => {
    const program = fileURLToPath(new URL('inference_server.py', import.meta.url));
    const server = spawn(pythonWithTritonGrpc ?? '', [program], { stdio: ['ignore', 'pipe', 'ignore'] });
    try {
      const lines = createInterface(server.stdout)[Symbol.asyncIterator]();
      const { value: port } = await lines.next();
      const result = await runExample(
        pythonWithTritonGrpc,
        'triton/infer_grpc.py',
        [photo, 'clip', 'pixel_values'],
        { MODEL_SERVER_ADDRESS: `127.0.0.1:${port}` },
      );
      expect(result).toEqual({ code: 0, stdout: 'length INT32 [1, 1]\n', stderr: '' });
      const { value: seen } = await lines.next();
      expect(JSON.parse(seen ?? 'null')).toEqual({
        model: 'clip',
        name: 'pixel_values',
        datatype: 'FP32',
        shape: [1, 3, 224, 224],
        sha256: createHash('sha256').update(clip).digest('hex'),
      });
    } finally {
      const exited = once(server, 'exit');
      server.kill('SIGKILL');
      await exited;
    }
  });
});

describe('examples/', () => {
  it('contains no program that is not run here', async () => {
    const files = await readdir(examples, { recursive: true });
    const isSkipped = [
      pythonWithRequests,
      pythonWithGrpc,
      pythonWithClient,
      pythonWithTritonHttp,
      pythonWithTritonGrpc,
      chromium,
    ];
    if (isSkipped.includes(undefined)) return;
    // The gate has no torch.
    const withoutTorch = pythonWithTransformers === undefined ? ['python/vision_model.py'] : [];
    const runElsewhere = ['ray/corpus_shards.py'];
    expect(files.filter((file) => /\.(py|ts|html)$/.test(file)).sort()).toEqual(
      [...ran, ...withoutTorch, ...runElsewhere].sort(),
    );
  });
});
