import { describe, expect, it } from 'vitest';
import { createRequestHeaders, originHeadersFile } from '../../../src/processor/source/request-headers.ts';

describe(createRequestHeaders, () => {
  it.each([
    ['images.example', 'https://images.example/a', true],
    ['images.example', 'https://images.example:8443/a', true],
    ['IMAGES.example', 'https://images.example/a', true],
    // Never over http, although the entry only names the host.
    ['images.example', 'http://images.example/a', false],
    ['images.example:443', 'http://images.example:443/a', false],
    ['images.example:443', 'https://images.example/a', true],
    ['http://images.example', 'http://images.example/a', true],
    ['http://images.example', 'https://images.example/a', false],
    ['minio:9000', 'http://minio:9000/a', true],
    ['minio:9000', 'https://minio:9000/a', true],
    ['minio:9000', 'http://minio/a', false],
    ['http://minio:9000', 'https://minio:9000/a', false],
    ['[::1]:9000', 'http://[::1]:9000/a', true],
    ['images.example', 'https://images.example.evil.example/', false],
    ['images.example', 'https://sub.images.example/', false],
  ])('sends headers for %s to %s: %s', (origin, url, isSent) => {
    const file = originHeadersFile.parse({ [origin]: { Authorization: 'Bearer secret' } });
    const headers = createRequestHeaders('image-processor', () => file);
    expect(headers.of(new URL(url)).authorization).toBe(isSent ? 'Bearer secret' : undefined);
    const { authorization } = headers.fingerprintsOf(new URL(url));
    expect(authorization?.length).toBe(isSent ? 64 : undefined);
    expect(headers.fingerprint()).toMatch(/^[0-9a-f]{64}$/);
  });

  it('has no fingerprint without secrets, so that earlier records stay valid', () => {
    expect(createRequestHeaders('image-processor').fingerprint()).toBe('');
  });
});

describe('originHeadersFile', () => {
  it.each([
    [{ 'https://images.example/path': {} }],
    [{ 'name@images.example': {} }],
    [{ 'images.example': { Host: 'other' } }],
    [{ 'images.example': { 'If-None-Match': '*' } }],
    [{ 'images.example': { 'Bad Name': 'x' } }],
    [{ 'images.example': { 'X-Token': 'a\r\nHost: other' } }],
    [{ 'images.example': { 'X-Token': 7 } }],
    [{ 'images.example': 'Bearer secret' }],
  ])('refuses %j', (file) => {
    expect(originHeadersFile.safeParse(file).success).toBe(false);
  });
});
