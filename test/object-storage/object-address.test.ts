import { describe, expect, test } from 'vitest';
import {
  isObjectUrl,
  isWithin,
  objectUrl,
  parseBucketPrefix,
  parseObjectUrl,
  parsePrefixUrl,
} from '../../src/object-storage/object-address.ts';

describe('the address of an object', () => {
  test.each([
    ['s3://photos/cat.jpg', { bucket: 'photos', key: 'cat.jpg' }],
    ['S3://photos/a/b c.jpg', { bucket: 'photos', key: 'a/b c.jpg' }],
    ['s3://photos/100%.jpg', { bucket: 'photos', key: '100%.jpg' }],
    ['s3://photos/a%20b.jpg', { bucket: 'photos', key: 'a%20b.jpg' }],
    ['s3://photos/a?b#c.jpg', { bucket: 'photos', key: 'a?b#c.jpg' }],
    ['s3://photos/a//b', { bucket: 'photos', key: 'a//b' }],
    ['s3://photos/…/日本.jpg', { bucket: 'photos', key: '…/日本.jpg' }],
    [
      's3://photos/e\u0301 \u{1F468}\u200D\u{1F469}\n.jpg',
      { bucket: 'photos', key: 'e\u0301 \u{1F468}\u200D\u{1F469}\n.jpg' },
    ],
    ['s3://photos/cat.jpg?versionId=a.B_c-9', { bucket: 'photos', key: 'cat.jpg', versionId: 'a.B_c-9' }],
    ['s3://photos/a?versionId=1?versionId=2', { bucket: 'photos', key: 'a?versionId=1', versionId: '2' }],
    ['s3://photos/a..b/...', { bucket: 'photos', key: 'a..b/...' }],
  ])('%j is read as it stands', (url, address) => {
    expect(parseObjectUrl(url)).toEqual(address);
    expect(parseObjectUrl(objectUrl(address))).toEqual(address);
  });

  test.each([
    ['s3://', 'names no bucket'],
    ['s3:photos/cat.jpg', 'names no bucket'],
    ['s3:///cat.jpg', 'names no bucket'],
    ['s3://photos', 'names no object'],
    ['s3://photos/', 'names no object'],
    ['s3://photos/?versionId=1', 'names no object'],
    ['s3://Photos/cat.jpg', 'not the name of a bucket'],
    ['s3://key:secret@photos/cat.jpg', 'not the name of a bucket'],
    ['s3://a/cat.jpg', 'not the name of a bucket'],
    ['s3://a..b/cat.jpg', 'not the name of a bucket'],
    ['s3://photos/../other/cat.jpg', '"."'],
    ['s3://photos/a/./cat.jpg', '"."'],
    ['s3://photos/a/..', '"."'],
    ['s3://photos/a/%2e%2E/cat.jpg', '"."'],
    ['s3://photos/a/..%2fcat.jpg', '"."'],
    ['s3://photos/a\\..\\cat.jpg', '"."'],
    ['s3://photos//cat.jpg', 'begins with a slash'],
    ['s3://photos/a\0b', 'does not store'],
    ['s3://photos/a\ud800b', 'does not store'],
    [`s3://photos/${'é'.repeat(513)}`, '1026 bytes'],
    ['s3://photos/cat.jpg?versionId=', 'versionId'],
    ['s3://photos/cat.jpg?versionId=a b', 'versionId'],
  ])('%j is refused', (url, words) => {
    expect(() => parseObjectUrl(url)).toThrow(words);
  });

  test('only the scheme makes a URL one of an object', () => {
    expect(
      ['s3://a/b', 'S3://a', 's3a://a/b', 'https://s3.amazonaws.com/a/b', 'a/s3://'].map(isObjectUrl),
    ).toEqual([true, true, false, false, false]);
  });
});

describe('a prefix', () => {
  test.each([
    ['s3://photos', { bucket: 'photos', prefix: '' }],
    ['s3://photos/', { bucket: 'photos', prefix: '' }],
    ['s3://photos/a/b/', { bucket: 'photos', prefix: 'a/b' }],
  ])('%j is a bucket and a prefix without slashes around it', (url, expected) => {
    expect(parsePrefixUrl(url)).toEqual(expected);
    expect(parseBucketPrefix(url.slice('s3://'.length))).toEqual(expected);
  });

  test.each(['photos/../a', 'photos//a', '', '/a', 'PHOTOS', 's3://photos', '*'])('%j is none', (text) => {
    expect(() => parseBucketPrefix(text)).toThrow();
  });

  test.each([
    ['s3://photos/a/b.jpg', 'photos/a', true],
    ['s3://photos/a/b.jpg', 'photos', true],
    ['s3://photos/a/', 'photos/a', true],
    ['s3://photos/ab.jpg', 'photos/a', false],
    ['s3://photos/a-other/b.jpg', 'photos/a', false],
    ['s3://photos/a', 'photos/a', false],
    ['s3://photos/A/b.jpg', 'photos/a', false],
    ['s3://photos-other/a/b.jpg', 'photos', false],
    ['s3://photos-other/a/b.jpg', 'photos/a', false],
    ['s3://photos/é/b', 'photos/e\u0301', false],
  ])('%j is in %j: %j', (url, within, expected) => {
    expect(isWithin(parseObjectUrl(url), parseBucketPrefix(within))).toBe(expected);
  });
});
