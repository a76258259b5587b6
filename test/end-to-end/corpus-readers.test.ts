import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { corpus, startNumberedOrigin, temporaryFolder, writeList } from '../support/corpus.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { startService } from '../support/service.ts';

const program = fileURLToPath(new URL('../corpus/read_shards.py', import.meta.url));
const libraries = ['datasets', 'numpy', 'PIL', 'polars', 'pyarrow', 'safetensors', 'webdataset'];
const python = findPythonWith(...libraries);

const rows = 9;
/** Row 5 has no image. */
const stored = rows - 1;
const model = 'openai/clip-vit-base-patch32';

it.skipIf(python === undefined)(
  'reads the values of the service from shards of every format, with the libraries that people use',
  async () => {
    await using service = await startService({ processor: { URL_ALLOWED_HOSTS: '127.0.0.1' } });
    await using origin = await startNumberedOrigin();
    await using folder = await temporaryFolder();
    const list = join(folder.path, 'list.csv');
    await writeList(list, origin, rows);
    const environment = { IMAGE_PROCESSOR_URL: service.address };
    const make = async (name: string, ...flags: string[]) => {
      const out = join(folder.path, name);
      const format = name.replace('-images', '');
      const planned = await corpus(
        ['plan', list, '--out', out, '--rows-per-shard', '4', '--shard-format', format, ...flags],
        environment,
      );
      expect(planned, planned.stderr).toMatchObject({ code: 0 });
      const worked = await corpus(['work', '--out', out, '--shard', '0-2'], environment);
      expect(worked, worked.stderr).toMatchObject({ code: 0 });
    };
    const image = ['--width', '9', '--height', '7', '--format', 'png'];
    await Promise.all([
      ...['webdataset', 'parquet', 'safetensors', 'npy'].map((name) => make(name, '--preset', model)),
      ...['webdataset-images', 'parquet-images'].map((name) => make(name, ...image)),
    ]);
    await mkdir(join(folder.path, 'expected'));
    for (let row = 0; row < rows; row++) {
      for (const [ending, query] of [
        ['npy', `preset=${model}&format=npy`],
        ['png', 'width=9&height=7&format=png'],
      ]) {
        const url = encodeURIComponent(origin.url(`/${row}.jpg`));
        const response = await fetch(`${service.url}/v1/images?url=${url}&${query}`);
        if (!response.ok) continue;
        await writeFile(join(folder.path, 'expected', `${row}.${ending}`), await response.bytes());
      }
    }
    const read = await run(python ?? '', [program, folder.path]);
    expect(read.stderr.split('\n').slice(-3).join('\n')).toBe('');
    const [tensors, pictures] = [stored * 3 * 224 * 224, stored * 9 * 7];
    expect(JSON.parse(read.stdout.toString())).toEqual({
      webdataset: tensors,
      'webdataset, images': pictures,
      pyarrow: tensors,
      polars: tensors,
      datasets: tensors,
      'datasets, images': pictures,
      'polars, images': pictures,
      numpy: tensors,
      safetensors: tensors,
    });
  },
  // Six libraries are imported.
  120_000,
);
