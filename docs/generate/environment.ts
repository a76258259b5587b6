import type { z } from 'zod';
import { apiEnvironment } from '../../src/api/config.ts';
import { processorEnvironment } from '../../src/processor/config.ts';
import { code, table } from './markdown.ts';

/* The tables of docs/environment.md, out of the schemas by which the services read their environment. */

const services: Readonly<Record<string, Readonly<Record<string, z.ZodType>>>> = {
  'image-api': apiEnvironment.shape,
  'image-processor': processorEnvironment.shape,
};

/** Every variable by its purpose. `environmentTables` refuses to leave one out. */
const groups: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Addresses', ['HOST', 'PORT', 'METRICS_PORT', 'PROCESSOR_URL', 'PROCESSOR_RESOLVE_MS']],
  [
    'Defaults of requests',
    [
      'IMAGE_SCALE',
      'IMAGE_WIDTH',
      'IMAGE_HEIGHT',
      'IMAGE_FIT',
      'IMAGE_FILTER',
      'IMAGE_GRAYSCALE',
      'IMAGE_FORMAT',
      'IMAGE_QUALITY',
      'IMAGE_NUMERICS',
    ],
  ],
  ['Presets and decoders', ['PRESETS_DIR', 'SOURCE_FORMATS', 'TURBOJPEG_LIBRARY']],
  [
    'Callers',
    [
      'API_KEYS_FILE',
      'RATE_LIMIT_RPS',
      'RATE_LIMIT_BURST',
      'LINK_SECRETS_FILE',
      'LINK_MAX_AGE_SECONDS',
      'CORS_ORIGINS',
      'TRUSTED_PROXIES',
      'TRUST_CALLER_METADATA',
    ],
  ],
  [
    'Images by URL',
    [
      'URL_ALLOWED_HOSTS',
      'DOWNLOAD_TIMEOUT_MS',
      'MAX_DOWNLOADS',
      'ORIGIN_HEADERS_FILE',
      'ORIGIN_USER_AGENT',
      'ORIGIN_MAX_REDIRECTS',
    ],
  ],
  [
    'Object storage',
    [
      'SOURCE_BUCKETS',
      'STORE_URL',
      'STORE_MODE',
      'STORE_SOURCES',
      'STORE_READ',
      'STORE_LINK_MAX_SECONDS',
      'MAX_STORE_QUEUE',
      'MAX_STORE_QUEUE_BYTES',
      'S3_ENDPOINT',
      'S3_FORCE_PATH_STYLE',
    ],
  ],
  [
    'Limits of one image',
    [
      'MAX_UPLOAD_BYTES',
      'MAX_SOURCE_BYTES',
      'MAX_SOURCE_PIXELS',
      'MAX_OUTPUT_PIXELS',
      'MAX_ANSWER_BYTES',
      'REQUEST_TIMEOUT_MS',
      'MAX_TIMEOUT_MS',
      'MESSAGE_TIMEOUT_MS',
    ],
  ],
  [
    'Work and memory',
    [
      'WORKERS',
      'DOCUMENT_WORKERS',
      'MAX_QUEUE',
      'MAX_QUEUE_BYTES',
      'MAX_WORK_BYTES',
      'MAX_HELD_BYTES',
      'MAX_CALLS_PER_PROCESSOR',
    ],
  ],
  ['Cache', ['CACHE_MAX_BYTES', 'REDIS_URL']],
  [
    'Connections and streams',
    [
      'MAX_CONNECTION_AGE_MS',
      'CONNECTION_IDLE_TIMEOUT_MS',
      'MAX_IDLE_CONNECTIONS',
      'MAX_IDLE_CONNECTIONS_PER_CALLER',
      'MAX_IDLE_STREAMS',
      'MAX_IDLE_STREAMS_PER_CALLER',
      'STREAM_IDLE_TIMEOUT_MS',
      'MAX_HALF_SENT_MESSAGES',
      'MAX_HALF_SENT_MESSAGES_PER_CALLER',
    ],
  ],
  ['Shutdown', ['SHUTDOWN_DELAY_MS', 'SHUTDOWN_TIMEOUT_MS']],
  [
    'Logs and traces',
    [
      'LOG_LEVEL',
      'OTEL_EXPORTER_OTLP_ENDPOINT',
      'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT',
      'OTEL_SERVICE_NAME',
      'OTEL_TRACES_SAMPLER',
      'OTEL_TRACES_SAMPLER_ARG',
    ],
  ],
];

/** Values of variables that the schema takes from the machine, in words. */
const machineDefaults: Readonly<Record<string, string>> = { WORKERS: 'one per core' };

/** @throws Error when a variable is in no group */
export function environmentTables(): string {
  const left = new Set(Object.values(services).flatMap((shape) => Object.keys(shape)));
  const header = ['variable, service', 'default', 'meaning and values'];
  const text = groups.map(([title, names]) => {
    for (const name of names) left.delete(name);
    return `## ${title}\n\n${table(header, names.flatMap(rowsOf).map(narrow))}`;
  });
  if (left.size > 0)
    throw new Error(`add to a group of docs/generate/environment.ts: ${[...left].join(', ')}`);
  return text.join('\n\n');
}

/** Five facts in three columns, which fit on a page of GitHub. */
function narrow([service = '', variable = '', values = '', shown = '', meaning = '']: string[]): string[] {
  return [`${variable}<br>${service}`, shown, `${meaning}<br>Values: ${values}`];
}

/** Service, name, values, default and meaning of a variable: two rows if the services differ in more than its default. */
function rowsOf(name: string): string[][] {
  const rows = Object.entries(services).flatMap(([service, shape]) => {
    const field = shape[name];
    if (field === undefined) return [];
    return [[service, code(name), valuesOf(field), defaultOf(name, field), field.description ?? '']];
  });
  const [first, second] = rows;
  if (first === undefined || second === undefined) return rows;
  const differs = first.map((cell, column) => cell !== second[column]);
  if (differs[2] || differs[4]) return rows;
  const shown = differs[3] ? `${first[3]}, ${second[3]}` : first[3];
  return [['both', ...first.slice(1, 3), shown ?? '', ...first.slice(4)]];
}

/** The allowed values, in the words of the error for one that no variable takes. */
function valuesOf(field: z.ZodType): string {
  const allowed = field.safeParse('\u0000').error?.issues[0]?.message ?? 'any text';
  // The error for a file goes on with the problem of this file.
  return allowed.replace(/^(one of|a whole number from|a number from) /, '').replace(/; .*/s, '');
}

function defaultOf(name: string, field: z.ZodType): string {
  const inWords = machineDefaults[name];
  if (inWords !== undefined) return inWords;
  const value: unknown = field.safeParse(undefined).data;
  if (value === undefined) return 'unset';
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(',');
  if (name.endsWith('_BYTES')) return `${value} (${Number(value) / 2 ** 20} MiB)`;
  return String(value);
}
