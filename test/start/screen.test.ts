import { describe, expect, it } from 'vitest';
import { readApiConfig } from '../../src/api/config.ts';
import { readProcessorConfig } from '../../src/processor/config.ts';
import { type Started, startEvent, startScreen } from '../../src/start/screen.ts';

function started(environment: Readonly<Record<string, string>> = {}): Started {
  return {
    apiUrl: 'http://localhost:8080',
    processorAddress: 'localhost:50051',
    takenPort: undefined,
    sample: 'test/fixtures/sample.jpg',
    jpegDecoder: 'libjpeg-turbo 3.1.3 (bundled)',
    api: readApiConfig(environment),
    processor: readProcessorConfig(environment),
  };
}

describe(startScreen, () => {
  it('shows where both listen, the settings in force, and a command to try', () => {
    expect(startScreen(started(), false)).toBe(`
image-service is ready.

  Look      http://localhost:8080/            what it does to an image, in a browser
  HTTP      http://localhost:8080/v1/images   all options: http://localhost:8080/docs
  gRPC      localhost:50051                   grpcurl -plaintext localhost:50051 list

  Output    1024 × 768 pixels (fill, bilinear), gray, the source's format, exact (Pillow's pixels)
            unless the request states otherwise (IMAGE_WIDTH, IMAGE_GRAYSCALE, …)
  Cache     256 MiB in memory, no Redis (REDIS_URL)
  Callers   everybody who reaches the port; no authentication (API_KEYS_FILE)
  JPEG      by libjpeg-turbo 3.1.3 (bundled)

Send an image:

  curl -sS --fail-with-body -F image=@test/fixtures/sample.jpg 'http://localhost:8080/v1/images' -o output.jpg

End: Ctrl+C
`);
  });

  it('reports that the default port is taken', () => {
    const screen = startScreen({ ...started(), apiUrl: 'http://localhost:41234', takenPort: 8080 }, false);
    expect(screen).toContain(
      'image-service is ready.\nAnother process listens on port 8080, so it has another port; PORT sets one.\n',
    );
    expect(screen.split('\n').length).toBeLessThan(24);
  });

  it.each([
    [{ IMAGE_SCALE: 'false', IMAGE_GRAYSCALE: 'false' }, "size kept, colour kept, the source's format"],
    [
      { IMAGE_WIDTH: '224', IMAGE_HEIGHT: '200', IMAGE_FIT: 'cover', IMAGE_FILTER: 'bicubic' },
      '224 × 200 pixels (cover, bicubic)',
    ],
    [{ IMAGE_FORMAT: 'webp', IMAGE_QUALITY: '70', IMAGE_NUMERICS: 'fast' }, 'webp, quality 70, fast'],
    [{ IMAGE_FORMAT: 'png' }, '-o output.png'],
    [{ CACHE_MAX_BYTES: '0' }, 'none in memory, no Redis'],
    [{ CACHE_MAX_BYTES: '1000' }, '1000 bytes in memory'],
  ])('shows what %j changes', (environment, shown) => {
    expect(startScreen(started(environment), false)).toContain(shown);
  });

  it('does not show the password of a Redis', () => {
    const screen = startScreen(started({ REDIS_URL: 'redis://:hidden@localhost:6379' }), false);
    expect(screen).toContain('256 MiB in memory, and Redis');
    expect(screen).not.toContain('hidden');
  });

  it.each([
    ['node_modules/image-service/sample.jpg', '-F image=@node_modules/image-service/sample.jpg '],
    ["/home/ann/ann's photos/1.jpg", String.raw`-F 'image=@/home/ann/ann'\''s photos/1.jpg' `],
  ])('sends %s in the curl, quoted for a shell if needed', (sample, word) => {
    expect(startScreen({ ...started(), sample }, false)).toContain(word);
  });

  it('contains a key in the curl where one is needed', () => {
    const plain = started();
    const screen = startScreen({ ...plain, api: { ...plain.api, apiKeysFile: 'api-keys.json' } }, false);
    expect(screen).toContain('Callers   with an API key\n');
    expect(screen).toContain('curl -sS --fail-with-body -H "Authorization: Bearer $IMAGE_API_KEY" -F');
  });

  it('differs on a terminal only by bold letters', () => {
    const screen = startScreen(started(), true);
    expect(screen).toContain('\x1b[1mimage-service is ready.\x1b[22m');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's escape sequences
    expect(screen.replace(/\x1b\[\d+m/g, '')).toBe(startScreen(started(), false));
  });
});

describe(startEvent, () => {
  it('is one JSON line with the same values', () => {
    const line = startEvent(started());
    expect(line).toMatch(/^[^\n]+\n$/);
    expect(JSON.parse(line)).toMatchObject({
      level: 'info',
      service: 'image-service',
      playground: 'http://localhost:8080/',
      output: "1024 × 768 pixels (fill, bilinear), gray, the source's format, exact (Pillow's pixels)",
      callers: 'everybody who reaches the port; no authentication (API_KEYS_FILE)',
      curl: "curl -sS --fail-with-body -F image=@test/fixtures/sample.jpg 'http://localhost:8080/v1/images' -o output.jpg",
    });
  });
});
