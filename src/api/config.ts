import * as z from 'zod';
import { commonEnvironment, EnvironmentError, idleLimits, readEnvironment } from '../environment.ts';
import { messageOverheadBytes } from '../grpc/transport.ts';
import { mostOfOneCaller } from '../memory-budget.ts';
import {
  type ImageDefaults,
  imageFormats,
  imageOptions,
  limitedFilters,
  standardDefaults,
} from '../options/image-options.ts';
import { word } from '../options/kinds.ts';
import { commaSeparated, flag, ofKind, wholeNumber } from '../options/text-schemas.ts';
import { secretFilePath } from '../secret-file.ts';
import { tracingSettings } from '../telemetry/tracing.ts';
import { apiKeysFile } from './auth/api-keys.ts';
import { rateLimit } from './auth/rate-limit.ts';
import { linkSecretsFile } from './auth/signed-links.ts';
import { addressRanges } from './auth/trusted-proxies.ts';
import type { ResponseLimit } from './memory/response-price.ts';
import { defaultResolveMs } from './upstream/processor-addresses.ts';

const mebibyte = 1024 * 1024;
/** The highest value of MAX_OUTPUT_PIXELS. */
const mostOutputPixels = 268_435_456;

/** The settings that image-api reads from its environment. */
export const apiEnvironment = z.object({
  ...commonEnvironment(8080),
  PROCESSOR_URL: z
    .string()
    .refine(
      (urls) => urls.split(',').every((url) => isHttpOrigin(url.trim())),
      'http or https URLs without a path, with commas between them, as http://localhost:50051',
    )
    .default('http://localhost:50051')
    .describe('Addresses of image-processor, separated by commas; calls go to all addresses of their hosts'),
  PROCESSOR_RESOLVE_MS: wholeNumber(10, 600_000)
    .default(defaultResolveMs)
    .describe("Interval between lookups of the processors' addresses"),
  IMAGE_SCALE: flag().default(standardDefaults.scale).describe('Whether images are resized by default'),
  IMAGE_WIDTH: ofKind(imageOptions.width.kind)
    .default(standardDefaults.width)
    .describe('Default width in pixels'),
  IMAGE_HEIGHT: ofKind(imageOptions.height.kind)
    .default(standardDefaults.height)
    .describe('Default height in pixels'),
  IMAGE_FIT: ofKind(imageOptions.fit.kind)
    .default(standardDefaults.fit)
    .describe('Default fit of the image to width × height'),
  IMAGE_FILTER: ofKind(imageOptions.filter.kind)
    .default(standardDefaults.filter)
    .describe('Default resampling filter'),
  IMAGE_GRAYSCALE: flag()
    .default(standardDefaults.grayscale)
    .describe('Whether images become gray by default'),
  IMAGE_FORMAT: ofKind(word(['source', ...imageFormats]))
    .default(standardDefaults.format)
    .describe("Default image format; source keeps the source's format"),
  IMAGE_QUALITY: ofKind(imageOptions.quality.kind)
    .optional()
    .describe("Default quality of a JPEG or WebP; unset: the format's own (JPEG 90, WebP 80)"),
  IMAGE_NUMERICS: ofKind(imageOptions.numerics.kind)
    .default(standardDefaults.numerics)
    .describe('Default arithmetic of the pixels'),
  MAX_UPLOAD_BYTES: wholeNumber(1, 1024 * mebibyte)
    .default(32 * mebibyte)
    .describe('Longest accepted image, in bytes; at most MAX_SOURCE_BYTES of the processor'),
  MAX_HELD_BYTES: wholeNumber(1, 1024 * 1024 * mebibyte)
    .optional()
    .describe(
      'Bodies of all requests under way and their responses together; one caller gets at most three quarters; unset: twice MAX_ANSWER_BYTES, or sixteen of the longest bodies',
    ),
  MAX_ANSWER_BYTES: wholeNumber(1, 2047 * mebibyte)
    .default(256 * mebibyte)
    .describe(
      'Longest response, all contents of one request together; longer ones are refused before they are made',
    ),
  REQUEST_TIMEOUT_MS: wholeNumber(1, 600_000)
    .default(30_000)
    .describe('Longest time for a request, upload included; it travels to the processor as the deadline'),
  MAX_CALLS_PER_PROCESSOR: wholeNumber(1, 100_000)
    .default(64)
    .describe(
      'Images in work for each processor, without URLs; beyond that requests are refused before they are read',
    ),
  TRUSTED_PROXIES: addressRanges()
    .default([])
    .describe(
      'Addresses or CIDR ranges of proxies whose X-Forwarded-For names the client, separated by commas',
    ),
  CORS_ORIGINS: commaSeparated()
    .refine(
      (origins) => origins.every((origin) => origin === '*' || isHttpOrigin(origin)),
      'origins with commas between them, as https://app.example, or *',
    )
    .default([])
    .describe('Web origins whose pages may call, separated by commas; * allows all'),
  API_KEYS_FILE: secretFilePath(apiKeysFile, 'a JSON file of API keys, as SECURITY.md has it')
    .optional()
    .describe('JSON file of hashed API keys; read again when it changes; unset: no key is required'),
  LINK_SECRETS_FILE: secretFilePath(
    linkSecretsFile,
    'a JSON file of secrets for links, as SECURITY.md has it',
  )
    .optional()
    .describe('JSON file of secrets that links of GET are signed with; read again when it changes'),
  LINK_MAX_AGE_SECONDS: wholeNumber(0, 31_536_000)
    .default(300)
    .describe('Longest time that caches may keep the response to a signed link without revalidation'),
  RATE_LIMIT_RPS: wholeNumber(1, 1_000_000)
    .optional()
    .describe('Requests a second of each API key, if its entry has no limit of its own; unset: no limit'),
  RATE_LIMIT_BURST: wholeNumber(1, 1_000_000)
    .optional()
    .describe('Requests of an API key that may arrive at once; unset: those of one second'),
});

/** Variables that have no effect without another one. Setting one without the other is refused. */
const needs = [
  ['RATE_LIMIT_RPS', 'API_KEYS_FILE'],
  ['RATE_LIMIT_BURST', 'RATE_LIMIT_RPS'],
] as const;

/** Reads image-api's configuration. @throws EnvironmentError */
export function readApiConfig(environment: Readonly<Record<string, string | undefined>>) {
  const values = readEnvironment(apiEnvironment, environment);
  for (const [name, needed] of needs) {
    if (values[name] !== undefined && values[needed] === undefined) {
      throw new EnvironmentError(`${name} is "${values[name]}"; allowed: only with ${needed}`);
    }
  }
  refuseImpossibleDefaults(values);
  const longestBodyBytes = values.MAX_UPLOAD_BYTES + messageOverheadBytes;
  const maxHeldBytes = values.MAX_HELD_BYTES ?? 2 * Math.max(8 * longestBodyBytes, values.MAX_ANSWER_BYTES);
  if (mostOfOneCaller(maxHeldBytes) < longestBodyBytes) {
    throw new EnvironmentError(
      `MAX_HELD_BYTES is "${maxHeldBytes}"; allowed: at least ${Math.ceil((longestBodyBytes * 4) / 3)}, of which three quarters hold the longest body that MAX_UPLOAD_BYTES lets in`,
    );
  }
  const defaults: ImageDefaults = {
    scale: values.IMAGE_SCALE,
    width: values.IMAGE_WIDTH,
    height: values.IMAGE_HEIGHT,
    fit: values.IMAGE_FIT,
    filter: values.IMAGE_FILTER,
    grayscale: values.IMAGE_GRAYSCALE,
    format: values.IMAGE_FORMAT,
    quality: values.IMAGE_QUALITY,
    numerics: values.IMAGE_NUMERICS,
  };
  return {
    host: values.HOST,
    port: values.PORT,
    logLevel: values.LOG_LEVEL,
    shutdownDelayMs: values.SHUTDOWN_DELAY_MS,
    shutdownTimeoutMs: values.SHUTDOWN_TIMEOUT_MS,
    tracing: tracingSettings(values, 'image-api'),
    processorUrl: values.PROCESSOR_URL,
    processorResolveMs: values.PROCESSOR_RESOLVE_MS,
    defaults,
    maxUploadBytes: values.MAX_UPLOAD_BYTES,
    maxHeldBytes,
    responseLimit: responseLimit(values.MAX_ANSWER_BYTES, maxHeldBytes),
    requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
    maxCallsPerProcessor: values.MAX_CALLS_PER_PROCESSOR,
    ...idleLimits(values),
    trustedProxies: values.TRUSTED_PROXIES,
    corsOrigins: values.CORS_ORIGINS,
    apiKeysFile: values.API_KEYS_FILE,
    linkSecretsFile: values.LINK_SECRETS_FILE,
    linkMaxAgeSeconds: values.LINK_MAX_AGE_SECONDS,
    rateLimit:
      values.RATE_LIMIT_RPS === undefined
        ? undefined
        : rateLimit(values.RATE_LIMIT_RPS, values.RATE_LIMIT_BURST),
  };
}

/**
 * Defaults that contradict each other would fail every request that relies on them. The processor's own limits are not
 * known here; an output over the highest MAX_OUTPUT_PIXELS is possible nowhere.
 */
function refuseImpossibleDefaults(values: z.output<typeof apiEnvironment>): void {
  const refuse = (name: keyof typeof values, allowed: string) => {
    throw new EnvironmentError(`${name} is "${String(values[name])}"; allowed: ${allowed}`);
  };
  const { IMAGE_WIDTH, IMAGE_HEIGHT, IMAGE_FILTER } = values;
  const limited: Partial<Record<string, readonly string[]>> = limitedFilters;
  const allowed = limited[values.IMAGE_NUMERICS];
  if (allowed?.includes(IMAGE_FILTER) === false) {
    refuse('IMAGE_FILTER', `one of ${allowed.join(', ')} with IMAGE_NUMERICS=${values.IMAGE_NUMERICS}`);
  }
  if (values.IMAGE_SCALE && IMAGE_WIDTH * IMAGE_HEIGHT > mostOutputPixels) {
    refuse(
      'IMAGE_WIDTH',
      `with IMAGE_HEIGHT=${IMAGE_HEIGHT} at most ${Math.floor(mostOutputPixels / IMAGE_HEIGHT)}, because no processor makes more than ${mostOutputPixels} pixels`,
    );
  }
}

/** The longest response: the configured limit, or the most that a single caller can hold if that is less. */
function responseLimit(maxAnswerBytes: number, maxHeldBytes: number): ResponseLimit {
  const most = mostOfOneCaller(maxHeldBytes);
  return maxAnswerBytes <= most
    ? { bytes: maxAnswerBytes, name: 'MAX_ANSWER_BYTES' }
    : { bytes: most, name: 'three quarters of MAX_HELD_BYTES' };
}

export type ApiConfig = Readonly<ReturnType<typeof readApiConfig>>;

function isHttpOrigin(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    /^https?:$/.test(url.protocol) &&
    !url.hostname.includes('*') &&
    url.origin === text.replace(/\/$/, '')
  );
}
