import { describe, expect, it } from 'vitest';
import { apiEnvironment, readApiConfig } from '../../src/api/config.ts';

describe(readApiConfig, () => {
  it('has a default for every variable', () => {
    expect(readApiConfig({})).toEqual({
      host: '127.0.0.1',
      port: 8080,
      logLevel: 'info',
      shutdownDelayMs: 0,
      shutdownTimeoutMs: 20_000,
      processorUrl: 'http://localhost:50051',
      processorResolveMs: 2000,
      defaults: {
        scale: true,
        width: 1024,
        height: 768,
        fit: 'fill',
        filter: 'bilinear',
        grayscale: true,
        format: 'source',
        quality: undefined,
        numerics: 'exact',
      },
      maxUploadBytes: 33_554_432,
      maxHeldBytes: 537_919_488,
      responseLimit: { bytes: 268_435_456, name: 'MAX_ANSWER_BYTES' },
      requestTimeoutMs: 30_000,
      maxCallsPerProcessor: 64,
      linkMaxAgeSeconds: 300,
      idleStreams: { total: 256, perCaller: 32, timeoutMs: 60_000 },
      idleConnections: { total: 2000, perCaller: 500 },
      trustedProxies: [],
      corsOrigins: [],
    });
  });

  it('reads lists and flags', () => {
    const config = readApiConfig({
      CORS_ORIGINS: 'https://a.example, http://localhost:5173',
      IMAGE_SCALE: 'false',
      IMAGE_QUALITY: '75',
    });
    expect(config.corsOrigins).toEqual(['https://a.example', 'http://localhost:5173']);
    expect(config.defaults).toMatchObject({ scale: false, quality: 75 });
  });

  it.each([
    ['PROCESSOR_URL', 'localhost:50051'],
    ['PROCESSOR_URL', 'http://user:secret@processor:50051'],
    ['PROCESSOR_URL', 'http://processor-a:50051,processor-b:50051'],
    ['PROCESSOR_URL', 'http://processor:50051,'],
    ['PROCESSOR_URL', 'http://processor:50051/path'],
    ['IMAGE_FORMAT', 'npy'],
    ['IMAGE_WIDTH', '0'],
    ['IMAGE_GRAYSCALE', 'on'],
    ['MAX_UPLOAD_BYTES', '32MB'],
    ['REQUEST_TIMEOUT_MS', '0'],
    ['CORS_ORIGINS', 'app.example'],
    ['CORS_ORIGINS', 'https://app.example/path'],
    ['CORS_ORIGINS', 'https://*.app.example'],
    ['CORS_ORIGINS', 'https://app.example:70000'],
  ])('stops at %s=%s, naming the variable and what is allowed', (name, value) => {
    expect(() => readApiConfig({ [name]: value })).toThrow(new RegExp(`^${name} .*; allowed: .+`));
  });

  it.each([
    [{ IMAGE_NUMERICS: 'fast', IMAGE_FILTER: 'box' }, /^IMAGE_FILTER is "box"; allowed: one of nearest, /],
    [
      { IMAGE_NUMERICS: 'torch', IMAGE_FILTER: 'box' },
      /^IMAGE_FILTER is "box"; allowed: .* IMAGE_NUMERICS=torch/,
    ],
    [
      { IMAGE_NUMERICS: 'opencv', IMAGE_FILTER: 'lanczos' },
      /^IMAGE_FILTER is "lanczos"; allowed: one of nearest, box/,
    ],
    [{ IMAGE_NUMERICS: 'fast', IMAGE_FILTER: 'hamming' }, /^IMAGE_FILTER is "hamming"; allowed: one of /],
    [{ IMAGE_WIDTH: '65535', IMAGE_HEIGHT: '65535' }, /^IMAGE_WIDTH is "65535"; allowed: .* at most 4096/],
  ])('stops at defaults that no request can satisfy: %j', (environment, message) => {
    expect(() => readApiConfig(environment)).toThrow(message);
    expect(readApiConfig({ ...environment, IMAGE_NUMERICS: 'exact', IMAGE_WIDTH: '64' })).toBeDefined();
  });

  it('has room for at least one of the longest bodies', () => {
    const environment = { MAX_UPLOAD_BYTES: '1000000', MAX_HELD_BYTES: '1420715' };
    expect(readApiConfig(environment).maxHeldBytes).toBe(1_420_715);
    expect(() => readApiConfig({ ...environment, MAX_HELD_BYTES: '1420714' })).toThrow(
      /^MAX_HELD_BYTES is "1420714"; allowed: at least 1420715/,
    );
    expect(readApiConfig({ MAX_UPLOAD_BYTES: '1000000' }).maxHeldBytes).toBe(536_870_912);
  });

  it('uses the smaller of two limits for the longest response, and names it', () => {
    expect(readApiConfig({ MAX_HELD_BYTES: '268959744' }).responseLimit).toEqual({
      bytes: 201_719_808,
      name: 'three quarters of MAX_HELD_BYTES',
    });
  });

  it('does not repeat the password of a URL', () => {
    expect(() => readApiConfig({ PROCESSOR_URL: 'http://user:secret@processor:50051' })).not.toThrow(
      /secret/,
    );
  });
});

describe('apiEnvironment', () => {
  it('describes every variable', () => {
    for (const [name, schema] of Object.entries(apiEnvironment.shape)) {
      expect(schema.description, name).toMatch(/\w/);
    }
  });
});
