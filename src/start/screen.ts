import { styleText } from 'node:util';
import type { StartConfig } from './config.ts';

/*
 * The output of `npm start` when both services are ready: a screen for people, or one JSON line.
 */

/** The addresses of the services on this machine, and their configuration. */
export interface Started extends StartConfig {
  /** `http://localhost:8080` */
  readonly apiUrl: string;
  /** `localhost:50051` */
  readonly processorAddress: string;
  /** The default port of image-api, if another process uses it. */
  readonly takenPort: number | undefined;
  /** Path of an image that the printed command sends. */
  readonly sample: string;
  /** The library that decodes JPEGs: `libjpeg-turbo 3.1.3 (bundled)`. */
  readonly jpegDecoder: string;
}

/**
 * The screen, at most 24 lines. Only one line begins with `curl`, ready to be copied.
 *
 * @param colours - whether a terminal shows it: headings and the curl are then bold
 */
export function startScreen(started: Started, colours: boolean): string {
  const { apiUrl, processorAddress, takenPort, jpegDecoder } = started;
  const bold = (text: string) => (colours ? styleText('bold', text, { validateStream: false }) : text);
  const rows = [
    ['Look', `${apiUrl}/`, 'what it does to an image, in a browser'],
    ['HTTP', `${apiUrl}/v1/images`, `all options: ${apiUrl}/docs`],
    ['gRPC', processorAddress, `grpcurl -plaintext ${processorAddress} list`],
  ] as const;
  const width = Math.max(...rows.map(([, address]) => address.length)) + 3;
  return [
    '',
    bold('image-service is ready.'),
    ...(takenPort === undefined
      ? []
      : [`Another process listens on port ${takenPort}, so it has another port; PORT sets one.`]),
    '',
    ...rows.map(([name, address, words]) => `  ${name}      ${address.padEnd(width)}${words}`),
    '',
    `  Output    ${defaultsInForce(started)}`,
    '            unless the request states otherwise (IMAGE_WIDTH, IMAGE_GRAYSCALE, …)',
    `  Cache     ${cacheInForce(started)}`,
    `  Callers   ${callersLetIn(started)}`,
    `  JPEG      by ${jpegDecoder}`,
    '',
    bold('Send an image:'),
    '',
    `  ${bold(curlToTry(started))}`,
    '',
    'End: Ctrl+C',
    '',
  ].join('\n');
}

/** The same as one JSON line, for collectors of logs. */
export function startEvent(started: Started): string {
  const { apiUrl, processorAddress, jpegDecoder } = started;
  return `${JSON.stringify({
    level: 'info',
    time: new Date().toISOString(),
    service: 'image-service',
    api: apiUrl,
    processor: processorAddress,
    playground: `${apiUrl}/`,
    output: defaultsInForce(started),
    cache: cacheInForce(started),
    callers: callersLetIn(started),
    jpegDecoder,
    curl: curlToTry(started),
    msg: 'both services are ready',
  })}\n`;
}

function defaultsInForce({ api: { defaults } }: Started): string {
  const { scale, width, height, fit, filter, grayscale, format, quality, numerics } = defaults;
  return [
    scale ? `${width} × ${height} pixels (${fit}, ${filter})` : 'size kept',
    grayscale ? 'gray' : 'colour kept',
    format === 'source' ? "the source's format" : format,
    ...(quality === undefined ? [] : [`quality ${quality}`]),
    numerics === 'exact' ? "exact (Pillow's pixels)" : numerics,
  ].join(', ');
}

function cacheInForce({ processor: { CACHE_MAX_BYTES, REDIS_URL } }: Started): string {
  const memory = CACHE_MAX_BYTES === 0 ? 'none in memory' : `${bytes(CACHE_MAX_BYTES)} in memory`;
  return `${memory}, ${REDIS_URL === undefined ? 'no Redis (REDIS_URL)' : 'and Redis'}`;
}

function callersLetIn({ api: { apiKeysFile, linkSecretsFile } }: Started): string {
  if (apiKeysFile !== undefined && linkSecretsFile !== undefined) return 'with an API key or a signed link';
  if (apiKeysFile !== undefined) return 'with an API key';
  if (linkSecretsFile !== undefined) return 'with a signed link';
  return 'everybody who reaches the port; no authentication (API_KEYS_FILE)';
}

function curlToTry({ apiUrl, sample, api: { apiKeysFile, defaults } }: Started): string {
  const key = apiKeysFile === undefined ? '' : '-H "Authorization: Bearer $IMAGE_API_KEY" ';
  const isJpeg = defaults.format === 'source' || defaults.format === 'jpeg';
  const extension = isJpeg ? 'jpg' : defaults.format;
  return `curl -sS --fail-with-body ${key}-F ${quoted(`image=@${sample}`)} '${apiUrl}/v1/images' -o output.${extension}`;
}

/** A word for a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A size as "256 MiB"; sizes that are not whole MiB stay in bytes. */
function bytes(count: number): string {
  const mebibytes = count / 2 ** 20;
  return Number.isInteger(mebibytes) ? `${mebibytes} MiB` : `${count} bytes`;
}
