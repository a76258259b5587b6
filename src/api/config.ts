import { z } from 'zod';
import { commonEnvironment, readEnvironment } from '../environment.ts';
import { filters, fits, type ImageOptions, imageFormats } from '../image-options.ts';
import { commaSeparated, flag, oneOf, wholeNumber } from '../text-schemas.ts';

const mebibyte = 1024 * 1024;

/** What image-api reads from its environment. */
export const apiEnvironment = z.object({
  ...commonEnvironment(8080),
  PROCESSOR_URL: z
    .string()
    .refine(isHttpOrigin, 'an http or https URL without a path, as http://localhost:50051')
    .default('http://localhost:50051')
    .describe('Where image-processor answers; gRPC over HTTP/2'),
  IMAGE_SCALE: flag().default(true).describe('Whether images are resized when the request does not say'),
  IMAGE_WIDTH: wholeNumber(1, 65_535).default(1024).describe('Width in pixels when the request does not say'),
  IMAGE_HEIGHT: wholeNumber(1, 65_535)
    .default(768)
    .describe('Height in pixels when the request does not say'),
  IMAGE_FIT: oneOf(fits)
    .default('fill')
    .describe('How the image meets width × height when the request does not say'),
  IMAGE_FILTER: oneOf(filters)
    .default('bilinear')
    .describe('Resampling filter when the request does not say'),
  IMAGE_GRAYSCALE: flag().default(true).describe('Whether images turn gray when the request does not say'),
  IMAGE_FORMAT: oneOf(['source', ...imageFormats])
    .default('source')
    .describe("Image format when the request does not say; source is the source's own"),
  IMAGE_QUALITY: wholeNumber(1, 100)
    .optional()
    .describe(
      "Quality of a JPEG or WebP when the request does not say; unset: the format's own (JPEG 90, WebP 80)",
    ),
  IMAGE_NUMERICS: oneOf(['exact', 'fast'])
    .default('exact')
    .describe('Which arithmetic makes the pixels when the request does not say'),
  MAX_UPLOAD_BYTES: wholeNumber(1, 1024 * mebibyte)
    .default(32 * mebibyte)
    .describe('Longest image that is taken; not more than MAX_SOURCE_BYTES of the processor'),
  MAX_ANSWER_BYTES: wholeNumber(1, 2047 * mebibyte)
    .default(256 * mebibyte)
    .describe('Longest answer that is taken from the processor'),
  REQUEST_TIMEOUT_MS: wholeNumber(1, 600_000)
    .default(30_000)
    .describe('Longest time for a request, upload included; it travels to the processor as the deadline'),
  CORS_ORIGINS: commaSeparated()
    .refine(
      (origins) => origins.every((origin) => origin === '*' || isHttpOrigin(origin)),
      'origins with commas between them, as https://app.example, or *',
    )
    .default([])
    .describe('Web origins whose pages may call, with commas between them; * is all'),
});

/** The options that a request need not give, because the environment does. */
export type ImageDefaults = {
  readonly [name in
    | 'scale'
    | 'width'
    | 'height'
    | 'fit'
    | 'filter'
    | 'grayscale'
    | 'format'
    | 'numerics']: NonNullable<ImageOptions[name]>;
} & { readonly quality: number | undefined };

/** Reads image-api's configuration. @throws EnvironmentError */
export function readApiConfig(environment: Readonly<Record<string, string | undefined>>) {
  const values = readEnvironment(apiEnvironment, environment);
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
    processorUrl: values.PROCESSOR_URL,
    defaults,
    maxUploadBytes: values.MAX_UPLOAD_BYTES,
    maxAnswerBytes: values.MAX_ANSWER_BYTES,
    requestTimeoutMs: values.REQUEST_TIMEOUT_MS,
    corsOrigins: values.CORS_ORIGINS,
  };
}

export type ApiConfig = Readonly<ReturnType<typeof readApiConfig>>;

function isHttpOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text.replace(/\/$/, '');
}
