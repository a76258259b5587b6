import { describe, expect, it } from 'vitest';
import { clientStorage } from '../../../../src/client/corpus/store/client-storage.ts';

describe(clientStorage, () => {
  it.each([
    [{ S3_ENDPOINT: 'ftp://store' }, 'S3_ENDPOINT is "ftp://store"; allowed: an http:// or https:// URL.'],
    [{ S3_FORCE_PATH_STYLE: 'maybe' }, 'S3_FORCE_PATH_STYLE is "maybe"; allowed: true or false.'],
  ])('refuses %j as the service does', (environment, message) => {
    expect(() => clientStorage(environment)).toThrow(expect.objectContaining({ reason: 'USAGE', message }));
  });

  it('takes an empty variable for an unset one', () => {
    clientStorage({ S3_ENDPOINT: '', S3_FORCE_PATH_STYLE: '' }).close();
  });
});
