import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Origin, routes, sends, startOrigin } from '../support/origin.ts';
import { findPythonWith } from '../support/python.ts';
import { run } from '../support/run.ts';
import { type Service, startService } from '../support/service.ts';
import { findProgram } from '../support/tools.ts';

const sample = readFileSync(new URL('../fixtures/sample.jpg', import.meta.url));
const go = findProgram('go');
const python = findPythonWith('email');

const variants = JSON.stringify([
  { name: 'thumbnail', width: 32, height: 24 },
  { width: 8, height: 8, format: 'npy' },
  { name: 'mask-1.0', width: 16, height: 12, format: 'png' },
]);
/** Names, names of files and types of the parts. */
const asForm = [
  ['thumbnail', 'thumbnail.jpg', 'image/jpeg'],
  ['1', '1.npy', 'application/x-npy'],
  ['mask-1.0', 'mask-1.0.png', 'image/png'],
];
const asMixed = [
  [null, 'thumbnail.jpg', 'image/jpeg'],
  [null, 'image.npy', 'application/x-npy'],
  [null, 'mask-1.0.png', 'image/png'],
];

let service: Service;
let origin: Origin;
let folder: string;
beforeAll(async () => {
  origin = await startOrigin(routes({ '/photo.jpg': sends(sample, { 'content-type': 'image/jpeg' }) }));
  service = await startService({ processor: { URL_ALLOWED_HOSTS: `127.0.0.1:${origin.port}` } });
  folder = await mkdtemp(join(tmpdir(), 'variants-'));
});
afterAll(async () => {
  await service?.stop();
  await origin?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function get(accept: string, list = variants): Promise<Response> {
  const query = new URLSearchParams({ url: origin.url('/photo.jpg'), variants: list });
  return fetch(`${service.url}/v1/images?${query}`, { headers: { accept } });
}

/** The body of a response as a file, and its type as a reader in another language needs it. */
async function saved(accept: string): Promise<[file: string, contentType: string]> {
  const response = await get(accept);
  const file = join(folder, 'body');
  await writeFile(file, await response.bytes());
  return [file, response.headers.get('content-type') ?? ''];
}

describe('variants as multipart/form-data', () => {
  it('are read by Response.formData(), with the bytes of separate requests', async () => {
    const response = await get('multipart/form-data');
    expect(response.headers.get('content-type')).toMatch(/^multipart\/form-data; boundary=/);
    const files = [...(await response.formData())].map(([name, value]) => ({ name, file: value as File }));
    expect(files.map(({ name, file }) => [name, file.name, file.type])).toEqual(asForm);
    const alone = await fetch(
      `${service.url}/v1/images?${new URLSearchParams({ url: origin.url('/photo.jpg'), width: '8', height: '8', format: 'npy' })}`,
    );
    expect(await files[1]?.file.bytes()).toEqual(await alone.bytes());
  });

  it('are chosen by the weights of Accept; multipart/mixed is the default', async () => {
    const typeFor = async (accept: string) => {
      const response = await get(accept);
      expect(response.headers.get('vary')).toBe('Accept');
      await response.body?.cancel();
      return response.headers.get('content-type')?.split(';')[0];
    };
    expect(await typeFor('*/*')).toBe('multipart/mixed');
    expect(await typeFor('multipart/*')).toBe('multipart/mixed');
    expect(await typeFor('application/json')).toBe('multipart/mixed');
    expect(await typeFor('multipart/form-data;q=0.5, multipart/mixed')).toBe('multipart/mixed');
    expect(await typeFor('multipart/mixed;q=0.5, multipart/form-data')).toBe('multipart/form-data');
    expect(await typeFor('multipart/form-data, */*;q=0.1')).toBe('multipart/form-data');
  });

  it('have entity tags of their own, by type and names', async () => {
    const etagOf = async (accept: string, list?: string) => (await get(accept, list)).headers.get('etag');
    const form = await etagOf('multipart/form-data');
    expect(form).toBe(await etagOf('multipart/form-data'));
    expect(form).not.toBe(await etagOf('*/*'));
    expect(form).not.toBe(await etagOf('multipart/form-data', variants.replace('thumbnail', 'small')));
  });

  it.each([
    ['an empty name', '[{"name": ""}]', '0'],
    ['a quote in a name', '[{}, {"name": "a\\"b"}]', '1'],
    ['a line break in a name', '[{"name": "a\\r\\nSet-Cookie: x"}]', '0'],
    ['a path as a name', '[{"name": "../a"}]', '0'],
    ['a number as a name', '[{"name": 3}]', '0'],
    ['two equal names', '[{"name": "a"}, {"name": "a"}]', '1'],
    ['a name that is the index of another', '[{"name": "1"}, {}]', '1'],
  ])('refuse %s', async (_, list, index) => {
    const response = await get('multipart/form-data', list);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      reason: 'OPTION_INVALID',
      metadata: { option: 'name', index },
    });
  });

  it('have their names in descriptions as well', async () => {
    const query = new URLSearchParams({ url: origin.url('/photo.jpg'), variants });
    const response = await fetch(`${service.url}/v1/describe?${query}`);
    const { variants: described } = (await response.json()) as { variants: { name?: string }[] };
    expect(described.map(({ name }) => name)).toEqual(['thumbnail', undefined, 'mask-1.0']);
  });

  it.skipIf(go === undefined)(
    'are read by Go’s mime/multipart, as multipart/mixed is',
    async () => {
      const program = join(folder, 'read.go');
      await writeFile(program, goReader);
      for (const [accept, expected] of [
        ['multipart/form-data', asForm],
        ['multipart/mixed', asMixed.map(([, ...rest]) => ['', ...rest])],
      ] as const) {
        const { stdout, stderr } = await run(go ?? '', ['run', program, ...(await saved(accept))], {
          env: {
            PATH: process.env.PATH,
            HOME: process.env.HOME ?? folder,
            GOFLAGS: '-mod=mod',
            GO111MODULE: 'off',
          },
        });
        expect(JSON.parse(stdout.toString() || '[]'), stderr.toString()).toEqual(expected);
      }
    },
    120_000,
  );

  it.skipIf(python === undefined)('are read by Python’s email package, as multipart/mixed is', async () => {
    const program = join(folder, 'read.py');
    await writeFile(program, pythonReader);
    for (const [accept, expected] of [
      ['multipart/form-data', asForm],
      ['multipart/mixed', asMixed],
    ] as const) {
      const { stdout, stderr } = await run(python ?? '', [program, ...(await saved(accept))]);
      expect(JSON.parse(stdout.toString() || '[]'), stderr.toString()).toEqual(expected);
    }
  });
});

const goReader = `package main

import (
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"os"
	"strconv"
)

func main() {
	body, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	_, params, err := mime.ParseMediaType(os.Args[2])
	if err != nil {
		panic(err)
	}
	parts := [][]string{}
	for reader := multipart.NewReader(body, params["boundary"]); ; {
		part, err := reader.NextPart()
		if err == io.EOF {
			break
		}
		if err != nil {
			panic(err)
		}
		content, err := io.ReadAll(part)
		if err != nil {
			panic(err)
		}
		if strconv.Itoa(len(content)) != part.Header.Get("Content-Length") {
			panic("the content is not as long as declared")
		}
		parts = append(parts, []string{part.FormName(), part.FileName(), part.Header.Get("Content-Type")})
	}
	json.NewEncoder(os.Stdout).Encode(parts)
}
`;

const pythonReader = `import email
import json
import sys

with open(sys.argv[1], "rb") as file:
    message = email.message_from_bytes(b"Content-Type: " + sys.argv[2].encode() + b"\\r\\n\\r\\n" + file.read())
parts = message.get_payload()
for part in parts:
    assert len(part.get_payload(decode=True)) == int(part["Content-Length"]), part.items()
print(json.dumps([[part.get_param("name", header="Content-Disposition"), part.get_filename(), part.get_content_type()] for part in parts]))
`;
