import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readApi, readApiKey, readProcessor } from '../../src/client/connection-flags.ts';

const forms = 'host:port, such as localhost:8080 or [::1]:8080, or an http or https URL';

describe(readApi, () => {
  it.each([
    ['localhost:8080', 'http://localhost:8080/'],
    ['127.0.0.1:8080', 'http://127.0.0.1:8080/'],
    ['[::1]:8080', 'http://[::1]:8080/'],
    ['images.example', 'http://images.example/'],
    ['images.example:443', 'https://images.example/'],
    ['images.example:443/prefix', 'https://images.example/prefix'],
    ['images.example:8443', 'http://images.example:8443/'],
    ['http://images.example', 'http://images.example/'],
    ['HTTPS://images.example/prefix/', 'https://images.example/prefix/'],
    [' localhost:8080\n', 'http://localhost:8080/'],
  ])('reads %j as %s', (given, url) => {
    expect(readApi(given, undefined).href).toBe(url);
    expect(readApi(undefined, given).href).toBe(url);
  });

  it.each([
    ['ftp://images.example', 'is "ftp://images.example"'],
    ['::1:8080', 'is "::1:8080"'],
    ['localhost:99999', 'is "localhost:99999"'],
    ['local host:80', 'is "local host:80"'],
    ['http://', 'is "http://"'],
    ['a@b@:1:2', 'is not an address'],
  ])('refuses %j and names the forms', (given, is) => {
    expect(() => readApi(given, undefined)).toThrow(`--api ${is}; allowed: ${forms}.`);
    expect(() => readApi(undefined, given)).toThrow(`IMAGE_API_URL ${is}; allowed: ${forms}.`);
  });

  it('refuses a query, and a password without printing it', () => {
    expect(() => readApi('localhost:8080/?a=b', undefined)).toThrow('without a query');
    for (const given of ['http://me:secret@localhost', 'me:secret@localhost:80']) {
      expect(() => readApi(given, undefined)).toThrow(
        '--api contains a user name or password; the services accept none.',
      );
    }
  });
});

describe(readProcessor, () => {
  it('has the same forms, without a path', () => {
    expect(readProcessor(undefined, '').href).toBe('http://localhost:50051/');
    expect(readProcessor('[::1]:50051', undefined).href).toBe('http://[::1]:50051/');
    expect(() => readProcessor('http://h/path', undefined)).toThrow(
      `--processor is "http://h/path"; allowed: ${forms} without a path.`,
    );
  });
});

describe(readApiKey, () => {
  it('reads a key from a file, without the line feed at its end', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'image-client-key-'));
    const file = join(folder, 'key.txt');
    await writeFile(file, 'of-file\r\n');
    expect(readApiKey({ 'key-file': file }, 'of-environment')).toBe('of-file');
    await writeFile(file, 'secret with spaces');
    expect(() => readApiKey({ 'key-file': file }, undefined)).toThrow(
      '--key-file has a space or another character that no API key has, or is empty.',
    );
    await rm(folder, { recursive: true });
    expect(() => readApiKey({ 'key-file': file }, undefined)).toThrow(
      `There is no file "${file}"; --key-file`,
    );
    expect(() => readApiKey({ 'key-file': file, 'api-key': 'a' }, undefined)).toThrow('exclude each other');
  });
});
