import { hash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import shipped from '../../src/processor/presets/shipped-presets.json' with { type: 'json' };
import { encoded, photoLike } from '../support/pictures.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';

/** The end of each program: the SHA-256 of the tensors' values, by name. */
const printHashes = `
import hashlib, numpy
named = dict(tensors) if "tensors" in globals() else {"image": tensor}
for name, values in named.items():
    print(name, hashlib.sha256(numpy.ascontiguousarray(numpy.asarray(values)).tobytes()).hexdigest())
`;

/** Presets whose lines need no weights, with the module that they need and the name of their tensor. */
const cases = [
  ['openai/clip-vit-base-patch32', 'transformers', 'pixel_values'],
  ['nvidia/segformer-b0-finetuned-ade-512-512', 'transformers', 'pixel_values'],
] as const;

describe('the Python of a preset', () => {
  let service: Service;
  let folder: string;
  let photo: Uint8Array<ArrayBuffer>;
  beforeAll(async () => {
    service = await startService();
    folder = await mkdtemp(join(tmpdir(), 'preset-python-'));
    // A PNG decodes to the same pixels everywhere, whatever its name.
    photo = Uint8Array.from(await encoded(photoLike(333, 210), 'png'));
    await writeFile(join(folder, 'photo.jpg'), photo);
    for (const { models, config } of shipped) {
      for (const model of models) {
        await mkdir(join(folder, model), { recursive: true });
        await writeFile(join(folder, model, 'preprocessor_config.json'), JSON.stringify(config));
      }
    }
  });
  afterAll(async () => {
    await service?.stop();
    await rm(folder, { recursive: true });
  });

  for (const [name, module, tensor] of cases) {
    const python = findPythonWith('numpy', module);
    it.skipIf(python === undefined)(
      `makes the tensor of ${name}`,
      async () => {
        const preset = (await (await fetch(`${service.url}/v1/presets/${name}`)).json()) as {
          python: string;
        };
        const program = join(folder, 'program.py');
        await writeFile(program, preset.python + printHashes);
        const { code, stdout, stderr } = await run(python ?? '', [program], {
          cwd: folder,
          env: { HF_HUB_OFFLINE: '1' },
        });
        expect(code, stderr).toBe(0);
        const query = new URLSearchParams({ preset: name, format: 'npz' });
        const response = await fetch(`${service.url}/v1/images?${query}`, { method: 'POST', body: photo });
        const values = arrayOf(Buffer.from(await response.arrayBuffer()), tensor);
        expect(stdout.toString().split('\n')).toContain(`${tensor} ${hash('sha256', values)}`);
      },
      120_000,
    );
  }
});

/** The values of an array of an .npz, which is a stored zip of .npy files. */
function arrayOf(npz: Buffer, name: string): Buffer {
  const entry = npz.indexOf(`${name}.npy`);
  const start = npz.indexOf('\x93NUMPY', entry, 'latin1');
  const header = npz.readUInt16LE(start + 8);
  const text = npz.toString('latin1', start + 10, start + 10 + header);
  const axes = (/'shape': \(([^)]*)\)/.exec(text)?.[1] ?? '').split(',').filter((axis) => axis.trim() !== '');
  const bytes = axes.reduce((product, axis) => product * Number(axis), 4);
  return npz.subarray(start + 10 + header, start + 10 + header + bytes);
}
