import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCheckList } from '../../../../src/client/skew/check/list.ts';
import { type CheckArguments, readSkewArguments } from '../../../../src/client/skew/skew-arguments.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-client-list-'));
  await mkdir(join(folder, 'golden'));
  await writeFile(join(folder, 'photo.jpg'), 'image');
  await writeFile(join(folder, 'golden', 'a.npy'), 'tensor');
  await writeFile(join(folder, 'config.json'), '{"image_processor_type": "ViTImageProcessor"}');
});
afterAll(() => rm(folder, { recursive: true }));

/** Reads lines, each an object or its text. */
async function read(lines: readonly (string | object)[], ...argv: string[]) {
  const path = join(folder, 'golden.jsonl');
  await writeFile(
    path,
    lines.map((line) => `${typeof line === 'string' ? line : JSON.stringify(line)}\n`).join(''),
  );
  const check = readSkewArguments(['--check', path, ...argv], {}) as CheckArguments;
  return await readCheckList(check, new AbortController().signal);
}

const files = { image: 'photo.jpg', tensor: 'golden/a.npy' };

describe(readCheckList, () => {
  it('reads pairs, with paths from the folder of the list', async () => {
    const { pairs, refused } = await read([
      { ...files, preset: 'resnet50' },
      '',
      {
        url: 'https://x.example/b.jpg',
        picture: 'photo.jpg',
        preset: 'resnet50',
        name: 'b',
        tolerance: 'mean:0.1',
      },
    ]);
    expect(refused).toEqual([]);
    expect(
      pairs.map(({ line, name, source, file, tolerance }) => ({
        line,
        name,
        source,
        file: file.path,
        tolerance,
      })),
    ).toEqual([
      {
        line: 1,
        name: 'photo.jpg, golden/a.npy',
        source: expect.objectContaining({ path: join(folder, 'photo.jpg') }),
        file: join(folder, 'golden', 'a.npy'),
        tolerance: undefined,
      },
      {
        line: 3,
        name: 'b',
        source: { url: 'https://x.example/b.jpg' },
        file: join(folder, 'photo.jpg'),
        tolerance: { mean: 0.1 },
      },
    ]);
  });

  it("puts a line's own preset, options and tolerance before those of the command line", async () => {
    const { pairs } = await read(
      [
        files,
        { ...files, preset: 'other', tolerance: 0.5 },
        { ...files, preprocessor_config: 'config.json' },
        { ...files, preprocessor_config: { size: 8 } },
      ],
      ...['--preset', 'resnet50', '--tolerance', '0.1'],
    );
    expect(
      pairs.map(({ comparison: { expected }, tolerance }) => [
        expected.preset,
        expected.preprocessorConfig,
        tolerance,
      ]),
    ).toEqual([
      ['resnet50', '', { max: 0.1 }],
      ['other', '', { max: 0.5 }],
      ['', '{"image_processor_type": "ViTImageProcessor"}', { max: 0.1 }],
      ['', '{"size":8}', { max: 0.1 }],
    ]);
  });

  it('describes raw values', async () => {
    const { pairs } = await read([{ ...files, preset: 'resnet50', shape: [3, 8, 8], datatype: 'fp16' }]);
    expect(pairs[0]?.comparison.given).toEqual({
      case: 'tensor',
      shape: [3, 8, 8],
      datatype: 'FP16',
      name: '',
    });
  });

  it.each([
    ['not json', 'ROW_INVALID', 'The line is not JSON.'],
    ['[1]', 'ROW_INVALID', 'The line'],
    [{ ...files, tensr: 'x' }, 'ROW_INVALID', 'There is no field "tensr"; did you mean "tensor"?'],
    [{ ...files, width: 9 }, 'ROW_INVALID', 'options of the expected tensor belong in "options"'],
    [{ image: 'photo.jpg' }, 'ROW_INVALID', 'one of "tensor" and "picture"'],
    [{ ...files, picture: 'photo.jpg' }, 'ROW_INVALID', 'one of "tensor" and "picture"'],
    [{ tensor: 'golden/a.npy' }, 'SOURCE_MISSING', 'one of "image", a path, and "url"'],
    [{ ...files, image: 'gone.jpg' }, 'INPUT_MISSING', '"image" is "gone.jpg"'],
    [{ ...files, tensor: 'golden' }, 'INPUT_UNREADABLE', '"tensor" is "golden". This is a folder'],
    [{ ...files, tensor: '../a.npy' }, 'PATH_FORBIDDEN', '--base'],
    [{ ...files, tolerance: -1 }, 'ROW_INVALID', '"tolerance" is "-1"; allowed: '],
    [{ ...files, tolerance: true }, 'ROW_INVALID', '"tolerance": '],
    [{ ...files, shape: '1,x', datatype: 'fp32' }, 'ROW_INVALID', '"shape" is "1,x"'],
    [{ ...files, shape: [1, 2] }, 'ROW_INVALID', 'need "datatype" too'],
    [{ ...files, preprocessor_config: 'gone.json' }, 'INPUT_MISSING', '"preprocessor_config" is "gone.json"'],
    [{ ...files, options: { widht: 9 } }, 'OPTION_UNKNOWN', 'did you mean'],
    [{ ...files, options: { format: 'png' } }, 'OPTION_INVALID', 'format is png'],
  ])('fails the line %j by itself', async (line, reason, message) => {
    const { pairs, refused } = await read([line, { ...files, preset: 'resnet50' }], '--preset', 'resnet50');
    expect(pairs).toHaveLength(1);
    expect(refused).toHaveLength(1);
    expect(refused[0]?.failure).toMatchObject({
      reason,
      message: expect.stringContaining(message),
      retryable: false,
    });
    expect(refused[0]?.failure.metadata.line).toBe('1');
  });

  it('fails a line for which nothing names the expected tensor', async () => {
    const { refused } = await read([files]);
    expect(refused[0]?.failure.message).toContain('Nothing says which tensor is right');
  });

  it('refuses a list without a line', async () => {
    await expect(read(['', ' '])).rejects.toThrow('a check of nothing would always pass');
  });
});
