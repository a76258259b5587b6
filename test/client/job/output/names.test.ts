import { describe, expect, it } from 'vitest';
import type { FoundImage } from '../../../../src/client/job/images.ts';
import { nameOutputs } from '../../../../src/client/job/output/names.ts';

const file = (name: string, path = `/photos/${name}`): FoundImage => ({
  source: { path, bytes: 1, mtimeMs: 0, id: path },
  name,
  isGivenName: false,
});
const row = (name: string, url: string): FoundImage => ({ source: { url }, name, isGivenName: true });

const outputs = (found: readonly FoundImage[], format = 'npy') =>
  nameOutputs(found, format).images.map(({ output }) => output);

describe(nameOutputs, () => {
  it('replaces the old ending by that of the format', () => {
    expect(outputs([file('a.jpg'), file('b/c.d.png')])).toEqual(['a.npy', 'b/c.d.npy']);
    expect(outputs([file('a.png')], 'jpeg')).toEqual(['a.jpg']);
    expect(outputs([file('a.png')], 'safetensors')).toEqual(['a.safetensors']);
  });

  it("keeps the source's ending for its own format, and takes .png for what is only read", () => {
    const found = ['a.JPG', 'b.jpeg', 'c.webp', 'd.gif', 'e.tiff', 'host/image'].map((name) => file(name));
    expect(outputs(found, 'source')).toEqual(['a.JPG', 'b.jpeg', 'c.webp', 'd.png', 'e.png', 'host/image']);
  });

  it('keeps the old ending where two images would get one name', () => {
    expect(outputs([file('a.jpg'), file('a.png'), file('b.png')])).toEqual([
      'a.jpg.npy',
      'a.png.npy',
      'b.npy',
    ]);
  });

  it('adds a hash where that is not enough, in any order', () => {
    const found = [file('a.jpg', '/one/a.jpg'), file('a.jpg', '/two/a.jpg'), file('a.png')];
    const names = outputs(found);
    expect(names).toEqual([
      expect.stringMatching(/^a\.jpg~[0-9a-f]{16}\.npy$/),
      expect.stringMatching(/^a\.jpg~[0-9a-f]{16}\.npy$/),
      'a.png.npy',
    ]);
    expect(new Set(names).size).toBe(3);
    expect(outputs(found.toReversed())).toEqual(names);
  });

  it('treats names as equal that differ only in case or in the encoding of an accent', () => {
    expect(outputs([file('A.jpg'), file('a.png')])).toEqual(['A.jpg.npy', 'a.png.npy']);
    expect(outputs([file('\u00e9.jpg'), file('e\u0301.png')])).toEqual(['e\u0301.png.npy', '\u00e9.jpg.npy']);
    expect(outputs([file('stra\u00dfe.jpg'), file('STRASSE.png')])).toEqual([
      'STRASSE.png.npy',
      'stra\u00dfe.jpg.npy',
    ]);
    expect(new Set(outputs([row('x', 'http://h/1'), row('X', 'http://h/1')])).size).toBe(2);
  });

  it('gives no file the name of a folder', () => {
    const url = (name: string): FoundImage => ({
      source: { url: `http://${name}` },
      name,
      isGivenName: false,
    });
    const names = outputs([url('h/image'), url('h/image/1')], 'source');
    expect(names).toEqual(['h/image/1', expect.stringMatching(/^h\/image~[0-9a-f]{16}$/)]);
  });

  it('processes an image that is named twice once, and one image under two names twice', () => {
    expect(outputs([file('a.jpg'), file('a.jpg')])).toEqual(['a.npy']);
    expect(outputs([row('one', 'http://h/a'), row('two', 'http://h/a')])).toEqual(['one.npy', 'two.npy']);
  });

  it('gives an image without an ending of its own the ending of the format of its bytes', () => {
    const found = [
      { ...file('a.HEIC'), format: 'jpeg' },
      { ...file('b.img'), format: 'avif' },
      { ...file('0123abcd'), format: 'jpeg' },
    ];
    expect(outputs(found, 'source')).toEqual(['0123abcd', 'a.jpg', 'b.png']);
  });

  it.each(['journal.jsonl', 'JOURNAL.jsonl', 'failures.jsonl', '.image-client.lock', 'journal.jsonl/a'])(
    "refuses %s, a name of the job's own files, with its line",
    (name) => {
      const found = { ...row(name, 'http://h/a'), row: { list: 'list.csv', line: 7 } };
      const { images, refused } = nameOutputs([found, row('other', 'http://h/b')], 'source');
      expect(images.map(({ output }) => output)).toEqual(['other']);
      expect(refused).toMatchObject([
        { source: 'http://h/a', reason: 'NAME_FORBIDDEN', metadata: { list: 'list.csv', line: '7' } },
      ]);
    },
  );

  it('keeps the bytes of names that are not UTF-8', () => {
    expect(outputs([file('caf\udce9.jpg'), file('caf\udce8.jpg')])).toEqual([
      'caf\udce8.npy',
      'caf\udce9.npy',
    ]);
  });

  it('does not cut a name of the caller at its dots', () => {
    expect(outputs([row('v1.2', 'http://h/a'), row('v1.3', 'http://h/b')])).toEqual(['v1.2.npy', 'v1.3.npy']);
  });

  it('shortens names that are too long for file systems, each to a distinct one', () => {
    const long = 'x'.repeat(300);
    const names = outputs([file(`${long}1.jpg`), file(`${long}2.jpg`)]);
    expect(new Set(names).size).toBe(2);
    for (const name of names) expect(name.length).toBeLessThanOrEqual(210);
  });
});
