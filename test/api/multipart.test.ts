import { describe, expect, it } from 'vitest';
import { parseForm } from '../../src/api/multipart.ts';
import type { Failure } from '../../src/failures.ts';

const contentType = 'multipart/form-data; boundary=abc';

/** A form of parts, each its header lines and its content. */
function form(...parts: [header: string, content: string | Buffer][]): Buffer {
  return Buffer.concat([
    ...parts.flatMap(([header, content]) => [
      Buffer.from(`--abc\r\n${header}\r\n\r\n`),
      Buffer.from(content),
      Buffer.from('\r\n'),
    ]),
    Buffer.from('--abc--\r\n'),
  ]);
}

const imageHeader = 'Content-Disposition: form-data; name="image"; filename="a.jpg"';

function field(name: string): string {
  return `Content-Disposition: form-data; name="${name}"`;
}

function refusal(body: Buffer, maxFileBytes = 1000): Failure {
  try {
    parseForm(body, contentType, maxFileBytes);
  } catch (error) {
    return error as Failure;
  }
  throw new Error('it was taken');
}

describe(parseForm, () => {
  it('gives the file as a view of the body, without a copy', () => {
    const body = form([imageHeader, Buffer.from([0, 13, 10, 45, 45, 255])]);
    const { sources } = parseForm(body, contentType, 1000);
    const [source] = sources;
    expect(source?.case).toBe('content');
    const content = source?.value as Uint8Array;
    expect([...content]).toEqual([0, 13, 10, 45, 45, 255]);
    expect(content.buffer).toBe(body.buffer);
  });

  it('accepts an image without a file name', () => {
    const { sources } = parseForm(form([field('image'), 'xyz']), contentType, 1000);
    expect(sources).toHaveLength(1);
  });

  it('accepts a quoted boundary', () => {
    const quoted = 'multipart/form-data; boundary="abc"';
    expect(parseForm(form([imageHeader, 'x']), quoted, 1000).sources).toHaveLength(1);
  });

  it('reads a url and options, in their order', () => {
    const body = form(
      [field('width'), '3'],
      [field('url'), 'https://example.com/ä'],
      [field('fit'), 'cover'],
    );
    expect(parseForm(body, contentType, 1000)).toEqual({
      sources: [{ case: 'url', value: 'https://example.com/ä' }],
      options: [
        ['width', '3'],
        ['fit', 'cover'],
      ],
      passwords: [],
    });
  });

  it('keeps a password apart from the options', () => {
    const body = form([field('password'), 'a b'], [field('fit'), 'cover']);
    expect(parseForm(body, contentType, 1000)).toMatchObject({
      options: [['fit', 'cover']],
      passwords: ['a b'],
    });
  });

  it('ignores an empty url field, which a browser sends with every form', () => {
    expect(parseForm(form([field('url'), '']), contentType, 1000).sources).toEqual([]);
  });

  it('accepts a file of exactly the limit and refuses one byte more', () => {
    expect(parseForm(form([imageHeader, 'x'.repeat(1000)]), contentType, 1000).sources).toHaveLength(1);
    expect(refusal(form([imageHeader, 'x'.repeat(1001)]))).toMatchObject({
      reason: 'SOURCE_BYTES_OVER_LIMIT',
      metadata: { limit: '1000' },
    });
  });

  it('refuses a part without a name', () => {
    expect(refusal(form(['Content-Type: text/plain', 'x'])).reason).toBe('MULTIPART_INVALID');
  });

  it('refuses a text field that is longer than a URL or an option can be', () => {
    expect(refusal(form([field('width'), '1'.repeat(8193)]), 10_000)).toMatchObject({
      reason: 'MULTIPART_INVALID',
      metadata: { limit: '8192', actual: '8193' },
    });
  });

  it('refuses more than 64 parts', () => {
    const parts = Array.from({ length: 65 }, (): [string, string] => [field('width'), '3']);
    expect(refusal(form(...parts))).toMatchObject({ reason: 'MULTIPART_INVALID', metadata: { limit: '64' } });
  });

  it('refuses a part with a header of more than 8 KiB', () => {
    expect(refusal(form([`${imageHeader}\r\nX: ${'x'.repeat(8192)}`, 'x']))).toMatchObject({
      reason: 'MULTIPART_INVALID',
      metadata: { limit: '8192' },
    });
  });

  it('refuses text that is not UTF-8', () => {
    expect(refusal(form([field('width'), Buffer.from([0xff, 0xfe])])).reason).toBe('MULTIPART_INVALID');
  });

  it.each([
    ['Latin-1', Buffer.from('caf\xe9.jpg', 'latin1')],
    // 表.jpg and 表, whose second byte is a backslash.
    ['Shift-JIS', Buffer.from('955c2e6a7067', 'hex')],
    ['Shift-JIS before a quote', Buffer.from('955c', 'hex')],
  ])("takes a file's name in %s", (_words, name) => {
    const body = Buffer.concat([
      Buffer.from('--abc\r\nContent-Disposition: form-data; name="width"\r\n\r\n3\r\n--abc\r\n'),
      Buffer.from('Content-Disposition: form-data; name="image"; filename="'),
      name,
      Buffer.from('"\r\nContent-Type: image/jpeg\r\n\r\n'),
      Buffer.from([0xff, 0xd8, 0xe9, 0x5c]),
      Buffer.from('\r\n--abc\r\nContent-Disposition: form-data; name="height"\r\n\r\n4\r\n--abc--\r\n'),
    ]);
    const { sources, options } = parseForm(body, contentType, 1000);
    expect(sources.map(({ value }) => [...Buffer.from(value as Uint8Array)])).toEqual([
      [0xff, 0xd8, 0xe9, 0x5c],
    ]);
    expect(options).toEqual([
      ['width', '3'],
      ['height', '4'],
    ]);
  });

  it.each(['\r\n', 'This is a multi-part message in MIME format.\r\n', '\n', '--ab\r\n--abcd'])(
    'ignores %j before the first boundary, as RFC 2046 says',
    (preamble) => {
      const body = Buffer.concat([
        Buffer.from(preamble.endsWith('\n') ? preamble : `${preamble}\r\n`),
        form([imageHeader, 'xyz'], [field('width'), '3']),
      ]);
      expect(parseForm(body, contentType, 1000)).toMatchObject({
        sources: [{ case: 'content' }],
        options: [['width', '3']],
      });
    },
  );

  it.each([
    // .NET's HttpClient
    "Content-Disposition: form-data; name=image; filename=photo.jpg; filename*=utf-8''photo.jpg",
    'Content-Disposition: form-data; name="image"; filename*=UTF-8\'\'caf%C3%A9.jpg\r\nContent-Type: image/jpeg',
    // PowerShell's -Form
    'Content-Type: application/octet-stream\r\nContent-Disposition: form-data; name="image"; filename="photo.jpg"',
  ])('takes an image with the header %j', (header) => {
    const { sources } = parseForm(form([header, 'xyz']), contentType, 1000);
    expect(sources.map(({ value }) => String(Buffer.from(value as Uint8Array)))).toEqual(['xyz']);
  });

  it('accepts a boundary with space after it', () => {
    const spaced = 'multipart/form-data; boundary=abc ; charset=utf-8';
    expect(parseForm(form([imageHeader, 'x']), spaced, 1000).sources).toHaveLength(1);
  });

  it('accepts text that is sent as a file, as curl sends @file and Python’s requests sends files=', () => {
    const file = (name: string, filename: string) =>
      `Content-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: application/octet-stream`;
    const config = JSON.stringify({ image_processor_type: 'ViTImageProcessor', note: 'x'.repeat(20_000) });
    const body = form(
      [imageHeader, 'x'],
      [file('preprocessor_config', 'preprocessor_config.json'), `\ufeff${config}`],
      [file('width', 'width'), '224'],
    );
    expect(parseForm(body, contentType, 30_000).options).toEqual([
      ['preprocessor_config', config],
      ['width', '224'],
    ]);
    const tooLong = form([file('preprocessor_config', 'c.json'), 'x'.repeat(65_537)]);
    expect(refusal(tooLong, 100_000)).toMatchObject({ metadata: { limit: '65536', actual: '65537' } });
  });

  it('joins lists that are sent value by value', () => {
    const body = form(
      [field('mean'), '0.1'],
      [field('std[]'), '1'],
      [field('mean'), '0.2'],
      [field('std[]'), '2'],
    );
    expect(parseForm(body, contentType, 1000).options).toEqual([
      ['mean', '0.1,0.2'],
      ['std', '1,2'],
    ]);
  });

  it('refuses an empty body', () => {
    expect(refusal(Buffer.alloc(0)).reason).toBe('MULTIPART_INVALID');
  });
});
