import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { commonEnvironment, EnvironmentError, idleLimits, readEnvironment } from '../environment.ts';
import { messageOverheadBytes } from '../grpc/transport.ts';
import { mostOfOneCaller } from '../memory-budget.ts';
import { storageEnvironment } from '../object-storage/environment.ts';
import { isObjectUrl, parseBucketPrefix, parsePrefixUrl } from '../object-storage/object-address.ts';
import { commaSeparated, flag, isHost, oneOf, wholeNumber } from '../options/text-schemas.ts';
import { secretFilePath } from '../secret-file.ts';
import { heldMemory } from './admission/work-memory.ts';
import { defaultFormats, sourceFormats } from './codecs/codecs.ts';
import { defaultUserAgent, originHeadersFile } from './source/request-headers.ts';

/** The environment variables of image-processor. */
export const processorEnvironment = z.object({
  ...commonEnvironment(50_051),
  METRICS_PORT: wholeNumber(0, 65_535).default(9464).describe('Port of /metrics; 0 takes a free one'),
  SOURCE_FORMATS: commaSeparated()
    .transform((names, context) => {
      const known = sourceFormats.filter((format) => names.includes(format));
      if (known.length > 0 && names.every((name) => sourceFormats.some((format) => format === name)))
        return known;
      context.addIssue({
        code: 'custom',
        message: `some of ${sourceFormats.join(', ')}, with commas between them`,
      });
      return z.NEVER;
    })
    .default(defaultFormats)
    .describe(
      'Accepted formats, separated by commas; others are refused by name; heic and jxl each need a package',
    ),
  MAX_SOURCE_BYTES: wholeNumber(1, 1_073_741_824)
    .default(33_554_432)
    .describe('Largest encoded image, sent or downloaded'),
  MAX_SOURCE_PIXELS: wholeNumber(1, 2_147_483_647)
    .default(100_000_000)
    .describe('Largest width × height of a source'),
  MAX_OUTPUT_PIXELS: wholeNumber(1, 268_435_456)
    .default(25_000_000)
    .describe('Largest width × height of an output'),
  MAX_ANSWER_BYTES: wholeNumber(1, 2_146_435_072)
    .default(268_435_456)
    .describe(
      'Longest response, all contents of one request together; longer ones are refused before they are made',
    ),
  MAX_HELD_BYTES: wholeNumber(1, 1_099_511_627_776)
    .optional()
    .describe(
      'Messages of all calls under way and their responses together; one caller gets at most three quarters; unset: twice MAX_ANSWER_BYTES, or sixteen of the longest messages',
    ),
  DOWNLOAD_TIMEOUT_MS: wholeNumber(1, 600_000)
    .default(10_000)
    .describe('Longest time for the download of a URL'),
  ORIGIN_USER_AGENT: z
    .string()
    .regex(/^[\x21-\x7e]([\x20-\x7e]{0,254}[\x21-\x7e])?$/, 'printable ASCII, at most 256 characters')
    .default(defaultUserAgent)
    .describe('User-Agent for origins; some require a contact, such as "images/1.0 (ops@example.com)"'),
  ORIGIN_MAX_REDIRECTS: wholeNumber(0, 20).default(3).describe('Redirects of one URL that are followed'),
  ORIGIN_HEADERS_FILE: secretFilePath(
    originHeadersFile,
    'a JSON file of headers for origins, as SECURITY.md has it',
  )
    .optional()
    .describe('JSON file of headers for origins, by host; read again when it changes; unset: none'),
  URL_ALLOWED_HOSTS: commaSeparated()
    .refine(
      (hosts) => hosts.every(isHost),
      'hosts, or host:port, with commas between them, without scheme, path, wildcard or address range, as minio:9000',
    )
    .transform((hosts) => hosts.map((host) => host.toLowerCase()))
    .default([])
    .describe('Hosts, or host:port, that may have private addresses; the others must be public'),
  SOURCE_BUCKETS: commaSeparated()
    .transform((texts, context) => {
      try {
        return texts.map(parseBucketPrefix);
      } catch {
        context.addIssue({
          code: 'custom',
          message:
            'buckets, or bucket/prefix, with commas between them, without s3://, as photos,archive/public',
        });
        return z.NEVER;
      }
    })
    .default([])
    .describe('Buckets of S3, or prefixes in them, whose objects may be sources by s3:// URLs'),
  ...storageEnvironment,
  STORE_URL: z
    .string()
    .transform((text, context) => {
      try {
        // The URI of an object stands in a header.
        if (isObjectUrl(text) && /^[\x21-\x7e]+$/.test(text)) return parsePrefixUrl(text);
      } catch {}
      context.addIssue({ code: 'custom', message: 's3://bucket or s3://bucket/prefix' });
      return z.NEVER;
    })
    .optional()
    .describe('Where responses are kept in object storage, as s3://bucket/prefix; unset: nowhere'),
  STORE_MODE: oneOf(['all', 'asked'])
    .default('all')
    .describe('Which responses are kept with STORE_URL: all, or those whose request has store=true or wait'),
  STORE_SOURCES: flag()
    .default(false)
    .describe('Whether the source of a kept response is kept too, by its SHA-256'),
  STORE_READ: flag()
    .default(true)
    .describe('Whether kept responses are read back, as the last tier of the cache'),
  STORE_LINK_MAX_SECONDS: wholeNumber(0, 604_800)
    .default(3600)
    .describe('Longest lifetime of a link to a kept response, in seconds; 0: no links'),
  MAX_STORE_QUEUE: wholeNumber(1, 1_000_000)
    .default(10_000)
    .describe('Objects that may wait to be kept; further ones are dropped'),
  MAX_STORE_QUEUE_BYTES: wholeNumber(1, 1_099_511_627_776)
    .default(134_217_728)
    .describe('Bytes of objects that may wait to be kept; further ones are dropped'),
  CACHE_MAX_BYTES: wholeNumber(0, 1_099_511_627_776)
    .default(268_435_456)
    .describe('Responses held in memory, in bytes; 0 holds none'),
  REDIS_URL: z
    .url({ protocol: /^(redis|rediss|unix)$/, error: 'a redis:// or rediss:// URL' })
    .refine(
      hasRedisDatabase,
      'a redis:// or rediss:// URL whose path, if it has one, is the number of a database',
    )
    .optional()
    .describe('Second tier of the cache; unset: memory only'),
  PRESETS_DIR: z
    .string()
    .optional()
    .describe(
      'Presets of your models: <name>.json, <name>/preprocessor_config.json or <organization>/<name>/preprocessor_config.json, read at start',
    ),
  WORKERS: wholeNumber(1, 1024)
    .default(() => availableParallelism())
    .describe('Worker processes, each with one image at a time'),
  DOCUMENT_WORKERS: wholeNumber(1, 1024)
    .default(() => Math.max(2, Math.ceil(availableParallelism() / 2)))
    .describe(
      'Worker processes for documents, each with one page at a time; they start with the first document and end after a minute without one',
    ),
  TURBOJPEG_LIBRARY: z
    .string()
    .optional()
    .describe(
      "Path or name of libjpeg-turbo's TurboJPEG library for JPEGs; unset: the bundled one, or the system's; none: sharp only",
    ),
  MAX_QUEUE: wholeNumber(0, 100_000)
    .default(64)
    .describe('Images that may wait for a worker; further ones are refused'),
  MAX_QUEUE_BYTES: wholeNumber(0, 1_099_511_627_776)
    .default(268_435_456)
    .describe('Bytes of images that may wait for a worker; further ones are refused'),
  MAX_WORK_BYTES: wholeNumber(1, 1_099_511_627_776)
    .optional()
    .describe(
      "Memory that images in work may take together, in bytes; unset: the rest of the container's or machine's memory",
    ),
  MAX_DOWNLOADS: wholeNumber(1, 10_000)
    .default(32)
    .describe(
      'URLs downloaded at once, while MAX_QUEUE more wait; one host and one caller get at most half of each',
    ),
  MAX_TIMEOUT_MS: wholeNumber(1, 3_600_000)
    .default(60_000)
    .describe("Longest time for one image, regardless of its caller's deadline"),
  MESSAGE_TIMEOUT_MS: wholeNumber(1, 3_600_000)
    .default(30_000)
    .describe('Longest time that the message of a call takes to arrive'),
  MAX_HALF_SENT_MESSAGES: wholeNumber(1, 1_000_000)
    .default(1000)
    .describe(
      'Calls whose message has not arrived whole; beyond the limit, the caller with most of them loses one',
    ),
  MAX_HALF_SENT_MESSAGES_PER_CALLER: wholeNumber(1, 1_000_000)
    .default(250)
    .describe(
      'Calls of one caller whose message has not arrived whole; beyond the limit, the longest wait ends',
    ),
  CONNECTION_IDLE_TIMEOUT_MS: wholeNumber(1, 86_400_000)
    .default(300_000)
    .describe('Longest time that a connection has no call'),
  TRUST_CALLER_METADATA: flag()
    .default(false)
    .describe(
      'Whether x-image-caller names the caller; set it only where no other program than image-api reaches the port',
    ),
  MAX_CONNECTION_AGE_MS: wholeNumber(0, 86_400_000)
    .default(300_000)
    .describe(
      'Age, ±10 %, at which a connection takes no new calls, so that callers choose a processor again; 0: no limit',
    ),
});

/** The path of a unix:// URL is a socket's; elsewhere it selects a database, which Redis knows by number. */
function hasRedisDatabase(text: string): boolean {
  const url = URL.parse(text);
  // The rule before this one refuses strings that are not URLs.
  return url === null || url.protocol === 'unix:' || /^\/?\d{0,9}$/.test(url.pathname);
}

export type ProcessorConfig = z.output<typeof processorEnvironment>;

/** @throws EnvironmentError */
export function readProcessorConfig(environment: NodeJS.ProcessEnv): ProcessorConfig {
  const config = readEnvironment(processorEnvironment, environment);
  if (config.METRICS_PORT === config.PORT && config.PORT !== 0) {
    throw new EnvironmentError(
      `METRICS_PORT is "${config.METRICS_PORT}"; allowed: a port other than PORT, which serves gRPC`,
    );
  }
  const longestMessageBytes = config.MAX_SOURCE_BYTES + messageOverheadBytes;
  if (mostOfOneCaller(heldMemory(config)) < longestMessageBytes) {
    throw new EnvironmentError(
      `MAX_HELD_BYTES is "${config.MAX_HELD_BYTES}"; allowed: at least ${Math.ceil((longestMessageBytes * 4) / 3)}, of which three quarters hold the longest message that MAX_SOURCE_BYTES lets in`,
    );
  }
  return config;
}

/** The limits of what waits for its caller. */
export function callerWaits(config: ProcessorConfig) {
  const { idleStreams, idleConnections } = idleLimits(config);
  return {
    idleStreams,
    idleConnections: { ...idleConnections, timeoutMs: config.CONNECTION_IDLE_TIMEOUT_MS },
    halfSentMessages: {
      total: config.MAX_HALF_SENT_MESSAGES,
      perCaller: config.MAX_HALF_SENT_MESSAGES_PER_CALLER,
      timeoutMs: config.MESSAGE_TIMEOUT_MS,
    },
  };
}
