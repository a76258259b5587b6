import { describe, expect, it } from 'vitest';
import { type ImageDefaults, standardDefaults } from '../../../src/options/image-options.ts';
import { type CallContext, outputName } from '../../../src/playground/calls/call-context.ts';
import { callKinds } from '../../../src/playground/calls/calls.ts';
import { minimalOptions } from '../../../src/playground/calls/minimal-options.ts';
import { shellQuoted } from '../../../src/playground/calls/shell.ts';
import { initialSettings, type Settings } from '../../../src/playground/form/settings.ts';
import { run } from '../../support/run.ts';

const context: CallContext = {
  source: { file: 'cat.jpg' },
  api: 'http://localhost:8080',
  processor: 'localhost:50051',
  needsKey: false,
  defaults: standardDefaults,
  responseBytes: 40_000,
};

const ownSettings: Settings = {
  ...initialSettings,
  recipe: 'own',
  output: 'image',
  ...{ width: '1024', height: '768', fit: 'fill', grayscale: true, format: 'source' },
};
const presetTensor: Settings = {
  ...initialSettings,
  recipe: 'preset',
  preset: 'openai/clip-vit-base-patch32',
  output: 'tensor',
  container: 'npy',
};

type Name = (typeof callKinds)[number]['name'];

function call(name: Name, settings: Settings, changes: Partial<CallContext> = {}): string {
  const kind = callKinds.find((each) => each.name === name);
  return kind?.write(settings, { ...context, ...changes }) ?? '';
}

describe(shellQuoted, () => {
  it.each(["it's; rm -rf $HOME", 'a "b" \\ `c` $(d)', '-n\n*', 'münchen.jpg', ''])(
    'makes one word of %j, as a shell reads it',
    async (text) => {
      const { stdout } = await run('sh', ['-c', `printf '%s|' ${shellQuoted(text)}`]);
      expect(stdout.toString()).toBe(`${text}|`);
    },
  );

  it('leaves plain words unchanged', () => {
    expect(shellQuoted('image=@cat.jpg')).toBe('image=@cat.jpg');
  });
});

describe(minimalOptions, () => {
  const own = (changes: Partial<Settings>, defaults: Partial<ImageDefaults> = {}) =>
    minimalOptions({ ...ownSettings, ...changes }, { ...standardDefaults, ...defaults })
      .map(([name, value]) => `${name}=${value}`)
      .join(' ');

  it.each<[string, Partial<Settings>, Partial<ImageDefaults>, string]>([
    ['the defaults themselves', {}, {}, ''],
    ['another size', { width: '224' }, {}, 'width=224 height=768'],
    ['a service that scales nothing', {}, { scale: false }, 'width=1024 height=768'],
    ['a service with other defaults', {}, { fit: 'cover', numerics: 'fast' }, 'fit=fill numerics=exact'],
    ['no scaling', { sizing: 'source' }, {}, 'scale=false'],
    ['no scaling where that is the default', { sizing: 'source' }, { scale: false }, ''],
    ['the shorter side', { sizing: 'shortest_edge', shortest_edge: '256' }, {}, 'shortest_edge=256'],
    ['a tensor', { output: 'tensor', container: 'npy', layout: 'nhwc' }, {}, 'format=npy layout=nhwc'],
    ['colours', { grayscale: false, format: 'png' }, {}, 'grayscale=false format=png'],
  ])('of %s are those that the service needs', (_, settings, defaults, expected) => {
    expect(own(settings, defaults)).toBe(expected);
  });

  it('of a preset with an automatic container are its name', () => {
    const options = minimalOptions({ ...presetTensor, container: 'auto' }, standardDefaults);
    expect(options).toEqual([['preset', 'openai/clip-vit-base-patch32']]);
  });

  it('of a preset are its name and the container', () => {
    const options = minimalOptions(presetTensor, standardDefaults);
    expect(options).toEqual([
      ['preset', 'openai/clip-vit-base-patch32'],
      ['format', 'npy'],
    ]);
  });
});

describe('the calls to copy', () => {
  it.each<[Name, string]>([
    [
      'curl',
      `curl -sS --fail-with-body \\
  -F image=@cat.jpg \\
  --form-string preset=openai/clip-vit-base-patch32 \\
  --form-string format=npy \\
  http://localhost:8080/v1/images -o output.npy`,
    ],
    [
      'image-client',
      `image-client cat.jpg output.npy \\
  --preset openai/clip-vit-base-patch32`,
    ],
    [
      'Python',
      `from image_service_client import Client

client = Client("http://localhost:8080")
tensor = client.tensor("cat.jpg", preset="openai/clip-vit-base-patch32")
print(tensor.shape, tensor.dtype)`,
    ],
    [
      'JavaScript',
      `import { readFile, writeFile } from 'node:fs/promises';

const options = new URLSearchParams({
  preset: "openai/clip-vit-base-patch32",
  format: "npy",
});
const response = await fetch(\`http://localhost:8080/v1/images?\${options}\`, {
  method: 'POST',
  headers: {
    'Content-Type': 'application/octet-stream',
  },
  body: await readFile("cat.jpg"), // in a browser: input.files[0]
});
if (!response.ok) throw new Error(await response.text());
await writeFile("output.npy", await response.bytes());
console.log(response.headers.get('Content-Type'), response.headers.get('Content-Length'));`,
    ],
    [
      'grpcurl',
      `{ printf '{"content":"'; base64 < cat.jpg | tr -d '\\n'; printf '%s' '","tensor":{"container":"TENSOR_CONTAINER_NPY"},"preset":"openai/clip-vit-base-patch32"}'; } |
  grpcurl -plaintext -d @ localhost:50051 image.v1.ProcessorService/Process |
  jq -r .content | base64 -d > output.npy`,
    ],
  ])('contain no defaults, for example with %s', (name, expected) => {
    expect(call(name, presetTensor)).toBe(expected);
  });

  it('name enums in TypeScript', () => {
    const settings = { ...ownSettings, fit: 'cover', filter: 'lanczos', format: 'png', grayscale: false };
    const text = call('Connect', { ...settings, width: '64', height: '32' });
    expect(text).toContain("import { Filter, Fit, ImageFormat, ProcessorService } from './gen/");
    expect(text).toContain(`
  source: { case: 'content', value: await readFile("cat.jpg") },
  resize: { width: 64, height: 32, fit: Fit.COVER, filter: Filter.LANCZOS },
  output: { case: 'image', value: { format: ImageFormat.PNG } },
});`);
  });

  it('pass curl a file whose name has a special meaning for it', () => {
    const source = { file: `a;b,"c" 'd'.png` };
    expect(call('curl', ownSettings, { source })).toContain(`-F 'image=@"a;b,\\"c\\" '\\''d'\\''.png"'`);
  });

  it('request a URL by GET', () => {
    const source = { url: 'https://example.com/a b.png?x=1&y=2' };
    const text = call('curl', { ...ownSettings, format: 'png' }, { source });
    expect(text).toContain("-G \\\n  --data-urlencode 'url=https://example.com/a b.png?x=1&y=2' \\\n");
    expect(text).toMatch(/-o output\.png$/);
  });

  it('let grpcurl receive responses beyond its 4 MiB', () => {
    expect(call('grpcurl', ownSettings)).not.toContain('-max-msg-sz');
    expect(call('grpcurl', ownSettings, { responseBytes: 5_000_000 })).toContain(
      'grpcurl -plaintext -max-msg-sz 8388608 -d @ localhost:50051',
    );
  });

  it.each(['curl', 'JavaScript', 'Go', 'Connect'] as const)(
    'take the key from the environment in %s, and never have it in the text',
    (name) => {
      expect(call(name, ownSettings)).not.toContain('IMAGE_API_KEY');
      expect(call(name, ownSettings, { needsKey: true })).toMatch(/Authorization.*Bearer.*IMAGE_API_KEY/);
    },
  );

  it.each(callKinds.map(({ name }) => name).filter((name) => name !== 'image-client'))(
    'take the password of an encrypted document from the environment in %s',
    (name) => {
      const variable = 'IMAGE_DOCUMENT_PASSWORD';
      expect(call(name, ownSettings)).not.toContain(variable);
      for (const source of [{ file: 'a.pdf' }, { url: 'https://images.example/a.pdf' }]) {
        expect(call(name, { ...ownSettings, page: '3' }, { source, isEncrypted: true })).toContain(variable);
      }
    },
  );

  it('set the password beside the other options of a page in the JSON of gRPC', async () => {
    const text = call(
      'grpcurl',
      { ...ownSettings, page: '3' },
      { source: { file: 'a.pdf' }, isEncrypted: true },
    );
    const [, filter = ''] = /jq -c '(.*)'/.exec(text) ?? [];
    expect(filter).toBe('.sourceOptions.password = env.IMAGE_DOCUMENT_PASSWORD');
    expect(call('Connect', { ...ownSettings, page: '3' }, { isEncrypted: true })).toContain(
      'sourceOptions: { page: 3, password: process.env.IMAGE_DOCUMENT_PASSWORD }',
    );
  });

  it('write values of Python as Python does', () => {
    const settings = {
      ...ownSettings,
      output: 'tensor',
      grayscale: false,
      mean: '0.5,0.4,0.3',
      std: '2',
    } as const;
    expect(call('Python', settings)).toContain(
      'tensor = client.tensor("cat.jpg", grayscale=False, mean=[0.5, 0.4, 0.3], std=2)',
    );
  });

  it('take all tensors in Python where the response has several', () => {
    const settings = { ...ownSettings, output: 'tensor', container: 'auto' } as const;
    const of = (responseType: string) => call('Python', settings, { responseType });
    expect(of('application/x-npy')).toContain('tensor = client.tensor(');
    expect(of('application/vnd.safetensors')).toContain('tensors = client.tensors(');
  });
});

describe(outputName, () => {
  it.each([
    ['jpeg', 'x.png', 'output.jpg'],
    ['source', 'x.webp', 'output.webp'],
    ['source', 'x.gif', 'output.png'],
  ])('of %s from %s is %s', (format, file, expected) => {
    expect(outputName({ ...ownSettings, format }, { file })).toBe(expected);
  });

  it('of a tensor has the ending of its container', () => {
    expect(outputName(presetTensor, { file: 'x.jpg' })).toBe('output.npy');
    expect(outputName({ ...presetTensor, container: 'raw' }, { file: 'x.jpg' })).toBe('output.bin');
    const automatic = { ...presetTensor, container: 'auto' };
    expect(outputName(automatic, { file: 'x.jpg' })).toBe('output.npy');
    expect(outputName(automatic, { file: 'x.jpg' }, 'application/x-npz')).toBe('output.npz');
  });
});
