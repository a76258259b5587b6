import { describe, expect, it } from 'vitest';
import { initialSettings } from '../../src/playground/settings.ts';
import { type CallContext, outputName, shellQuoted, snippet } from '../../src/playground/snippets.ts';
import { run } from '../support/run.ts';

const context: CallContext = {
  source: { file: 'cat.jpg' },
  api: 'http://localhost:8080',
  processor: 'localhost:50051',
  needsKey: false,
  responseBytes: 40_000,
};

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

describe(snippet, () => {
  it('writes every option for curl, regardless of the defaults of the service', () => {
    expect(snippet('curl', initialSettings, context).split(' \\\n  ')).toEqual([
      'curl -sS --fail-with-body',
      '-F image=@cat.jpg',
      '--form-string width=1024',
      '--form-string height=768',
      '--form-string fit=fill',
      '--form-string filter=bilinear',
      '--form-string grayscale=true',
      '--form-string format=source',
      '--form-string numerics=exact',
      'http://localhost:8080/v1/images -o output.jpg',
    ]);
  });

  it('passes curl a file whose name has a special meaning for it', () => {
    const source = { file: `a;b,"c" 'd'.png` };
    expect(snippet('curl', initialSettings, { ...context, source })).toContain(
      `-F 'image=@"a;b,\\"c\\" '\\''d'\\''.png"'`,
    );
  });

  it('requests a URL by GET', () => {
    const source = { url: 'https://example.com/a b.png?x=1&y=2' };
    const text = snippet('curl', { ...initialSettings, format: 'png' }, { ...context, source });
    expect(text).toContain("-G \\\n  --data-urlencode 'url=https://example.com/a b.png?x=1&y=2' \\\n");
    expect(text).toMatch(/-o output\.png$/);
  });

  it('lets grpcurl receive responses beyond its 4 MiB', () => {
    expect(snippet('grpcurl', initialSettings, context)).not.toContain('-max-msg-sz');
    expect(snippet('grpcurl', initialSettings, { ...context, responseBytes: 5_000_000 })).toContain(
      'grpcurl -plaintext -max-msg-sz 8388608 -d @ localhost:50051',
    );
  });

  it.each(['curl', 'TypeScript', 'Python'] as const)(
    'takes the key from the environment in %s, and never has it in the text',
    (language) => {
      expect(snippet(language, initialSettings, context)).not.toContain('IMAGE_API_KEY');
      expect(snippet(language, initialSettings, { ...context, needsKey: true })).toMatch(
        /Authorization.*Bearer.*IMAGE_API_KEY/,
      );
    },
  );

  it('loads an npy tensor with NumPy', () => {
    const settings = { ...initialSettings, recipe: 'preset', output: 'tensor' } as const;
    expect(snippet('Python', settings, context)).toContain('numpy.load(io.BytesIO(response.content))');
  });
});

describe(outputName, () => {
  it.each([
    ['jpeg', 'x.png', 'output.jpg'],
    ['source', 'x.webp', 'output.webp'],
    ['source', 'x.gif', 'output.png'],
  ])('of %s from %s is %s', (format, source, expected) => {
    expect(outputName({ ...initialSettings, format }, source)).toBe(expected);
  });

  it('of a tensor has the ending of its container', () => {
    const settings = { ...initialSettings, output: 'tensor' } as const;
    expect(outputName(settings, 'x.jpg')).toBe('output.npy');
    expect(outputName({ ...settings, container: 'raw' }, 'x.jpg')).toBe('output.bin');
  });
});
