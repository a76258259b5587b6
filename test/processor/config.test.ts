import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { EnvironmentError } from '../../src/environment.ts';
import { processorEnvironment, readProcessorConfig } from '../../src/processor/config.ts';

function headersFileOf(content: unknown): string {
  const folder = mkdtempSync(join(tmpdir(), 'config-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'headers.json');
  writeFileSync(path, JSON.stringify(content));
  return path;
}

describe(readProcessorConfig, () => {
  it('refuses an unusable file of headers without repeating its secrets', () => {
    const path = headersFileOf({ 'images.example': { Authorization: 'Bearer \nsecret' } });
    const read = () => readProcessorConfig({ ORIGIN_HEADERS_FILE: path });
    expect(read).toThrow(EnvironmentError);
    expect(read).toThrow(/ORIGIN_HEADERS_FILE .*images\.example\.Authorization: a value that no header has/);
    expect(read).not.toThrow(/secret/);
  });

  it('starts without any variable', () => {
    expect(readProcessorConfig({})).toEqual({
      HOST: '127.0.0.1',
      PORT: 50_051,
      LOG_LEVEL: 'info',
      SHUTDOWN_DELAY_MS: 0,
      SHUTDOWN_TIMEOUT_MS: 20_000,
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      OTEL_TRACES_SAMPLER_ARG: 1,
      METRICS_PORT: 9464,
      SOURCE_FORMATS: ['jpeg', 'png', 'webp', 'avif', 'gif', 'tiff', 'bmp', 'pdf'],
      MAX_SOURCE_BYTES: 32 * 1024 * 1024,
      MAX_SOURCE_PIXELS: 100_000_000,
      MAX_OUTPUT_PIXELS: 25_000_000,
      DOWNLOAD_TIMEOUT_MS: 10_000,
      ORIGIN_USER_AGENT: 'image-processor',
      ORIGIN_MAX_REDIRECTS: 3,
      URL_ALLOWED_HOSTS: [],
      SOURCE_BUCKETS: [],
      S3_FORCE_PATH_STYLE: false,
      STORE_MODE: 'all',
      STORE_SOURCES: false,
      STORE_READ: true,
      STORE_LINK_MAX_SECONDS: 3600,
      MAX_STORE_QUEUE: 10_000,
      MAX_STORE_QUEUE_BYTES: 134_217_728,
      CACHE_MAX_BYTES: 256 * 1024 * 1024,
      WORKERS: availableParallelism(),
      DOCUMENT_WORKERS: Math.max(2, Math.ceil(availableParallelism() / 2)),
      MAX_QUEUE: 64,
      MAX_QUEUE_BYTES: 256 * 1024 * 1024,
      MAX_DOWNLOADS: 32,
      MAX_ANSWER_BYTES: 268_435_456,
      MAX_TIMEOUT_MS: 60_000,
      MAX_IDLE_STREAMS: 256,
      MAX_IDLE_STREAMS_PER_CALLER: 32,
      STREAM_IDLE_TIMEOUT_MS: 60_000,
      MAX_IDLE_CONNECTIONS: 2000,
      MAX_IDLE_CONNECTIONS_PER_CALLER: 500,
      MESSAGE_TIMEOUT_MS: 30_000,
      MAX_HALF_SENT_MESSAGES: 1000,
      MAX_HALF_SENT_MESSAGES_PER_CALLER: 250,
      CONNECTION_IDLE_TIMEOUT_MS: 300_000,
      TRUST_CALLER_METADATA: false,
      MAX_CONNECTION_AGE_MS: 300_000,
    });
  });

  it('reads every variable', () => {
    const headersFile = headersFileOf({ 'images.example': { Authorization: 'Bearer secret' } });
    const environment = {
      HOST: '0.0.0.0',
      PORT: '0',
      LOG_LEVEL: 'warn',
      SHUTDOWN_DELAY_MS: '5000',
      SHUTDOWN_TIMEOUT_MS: '1',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/traces',
      OTEL_SERVICE_NAME: 'pictures',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.25',
      METRICS_PORT: '9000',
      SOURCE_FORMATS: 'png, jpeg',
      MAX_SOURCE_BYTES: '1',
      MAX_SOURCE_PIXELS: '2',
      MAX_OUTPUT_PIXELS: '3',
      DOWNLOAD_TIMEOUT_MS: '4',
      ORIGIN_USER_AGENT: 'images/1.0 (ops@example.com)',
      ORIGIN_MAX_REDIRECTS: '0',
      ORIGIN_HEADERS_FILE: headersFile,
      URL_ALLOWED_HOSTS: 'MinIO, minio:9000,,[::1]:80',
      SOURCE_BUCKETS: 'photos, archive/public/',
      S3_ENDPOINT: 'http://minio:9000',
      S3_FORCE_PATH_STYLE: 'true',
      STORE_URL: 's3://kept/responses/',
      STORE_MODE: 'asked',
      STORE_SOURCES: 'true',
      STORE_READ: 'false',
      STORE_LINK_MAX_SECONDS: '12',
      MAX_STORE_QUEUE: '13',
      MAX_STORE_QUEUE_BYTES: '14',
      CACHE_MAX_BYTES: '0',
      REDIS_URL: 'redis://:secret@redis:6379/1',
      PRESETS_DIR: '/presets',
      WORKERS: '7',
      DOCUMENT_WORKERS: '4',
      TURBOJPEG_LIBRARY: 'none',
      MAX_QUEUE: '0',
      MAX_QUEUE_BYTES: '9',
      MAX_WORK_BYTES: '10',
      MAX_DOWNLOADS: '5',
      MAX_ANSWER_BYTES: '11',
      MAX_HELD_BYTES: '1000000',
      MAX_TIMEOUT_MS: '8',
      MAX_IDLE_STREAMS: '1',
      MAX_IDLE_STREAMS_PER_CALLER: '2',
      STREAM_IDLE_TIMEOUT_MS: '3',
      MAX_IDLE_CONNECTIONS: '4',
      MAX_IDLE_CONNECTIONS_PER_CALLER: '5',
      MESSAGE_TIMEOUT_MS: '6',
      MAX_HALF_SENT_MESSAGES: '7',
      MAX_HALF_SENT_MESSAGES_PER_CALLER: '8',
      CONNECTION_IDLE_TIMEOUT_MS: '9',
      TRUST_CALLER_METADATA: 'true',
      MAX_CONNECTION_AGE_MS: '0',
    };
    expect(Object.keys(environment).sort()).toEqual(Object.keys(processorEnvironment.shape).sort());
    expect(readProcessorConfig(environment)).toEqual({
      HOST: '0.0.0.0',
      PORT: 0,
      LOG_LEVEL: 'warn',
      SHUTDOWN_DELAY_MS: 5000,
      SHUTDOWN_TIMEOUT_MS: 1,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://collector/traces',
      OTEL_SERVICE_NAME: 'pictures',
      OTEL_TRACES_SAMPLER: 'traceidratio',
      OTEL_TRACES_SAMPLER_ARG: 0.25,
      METRICS_PORT: 9000,
      SOURCE_FORMATS: ['jpeg', 'png'],
      MAX_SOURCE_BYTES: 1,
      MAX_SOURCE_PIXELS: 2,
      MAX_OUTPUT_PIXELS: 3,
      DOWNLOAD_TIMEOUT_MS: 4,
      ORIGIN_USER_AGENT: 'images/1.0 (ops@example.com)',
      ORIGIN_MAX_REDIRECTS: 0,
      ORIGIN_HEADERS_FILE: headersFile,
      URL_ALLOWED_HOSTS: ['minio', 'minio:9000', '[::1]:80'],
      SOURCE_BUCKETS: [
        { bucket: 'photos', prefix: '' },
        { bucket: 'archive', prefix: 'public' },
      ],
      S3_ENDPOINT: 'http://minio:9000',
      S3_FORCE_PATH_STYLE: true,
      STORE_URL: { bucket: 'kept', prefix: 'responses' },
      STORE_MODE: 'asked',
      STORE_SOURCES: true,
      STORE_READ: false,
      STORE_LINK_MAX_SECONDS: 12,
      MAX_STORE_QUEUE: 13,
      MAX_STORE_QUEUE_BYTES: 14,
      CACHE_MAX_BYTES: 0,
      REDIS_URL: 'redis://:secret@redis:6379/1',
      PRESETS_DIR: '/presets',
      WORKERS: 7,
      DOCUMENT_WORKERS: 4,
      TURBOJPEG_LIBRARY: 'none',
      MAX_QUEUE: 0,
      MAX_QUEUE_BYTES: 9,
      MAX_WORK_BYTES: 10,
      MAX_DOWNLOADS: 5,
      MAX_ANSWER_BYTES: 11,
      MAX_HELD_BYTES: 1_000_000,
      MAX_TIMEOUT_MS: 8,
      MAX_IDLE_STREAMS: 1,
      MAX_IDLE_STREAMS_PER_CALLER: 2,
      STREAM_IDLE_TIMEOUT_MS: 3,
      MAX_IDLE_CONNECTIONS: 4,
      MAX_IDLE_CONNECTIONS_PER_CALLER: 5,
      MESSAGE_TIMEOUT_MS: 6,
      MAX_HALF_SENT_MESSAGES: 7,
      MAX_HALF_SENT_MESSAGES_PER_CALLER: 8,
      CONNECTION_IDLE_TIMEOUT_MS: 9,
      TRUST_CALLER_METADATA: true,
      MAX_CONNECTION_AGE_MS: 0,
    });
  });

  it.each([
    [
      { MAX_HELD_BYTES: '44826623' },
      'MAX_HELD_BYTES is "44826623"; allowed: at least 44826624, of which three quarters hold the longest message that MAX_SOURCE_BYTES lets in',
    ],
    [
      { SOURCE_FORMATS: 'jpeg, jp2' },
      'SOURCE_FORMATS is "jpeg, jp2"; allowed: some of jpeg, png, webp, avif, gif, tiff, bmp, heic, jxl, pdf, with commas between them',
    ],
    [{ WORKERS: '0' }, 'WORKERS is "0"; allowed: a whole number from 1 to 1024'],
    [{ PORT: '70000' }, 'PORT is "70000"; allowed: a whole number from 0 to 65535'],
    [
      { MAX_SOURCE_BYTES: '32MB' },
      'MAX_SOURCE_BYTES is "32MB"; allowed: a whole number from 1 to 1073741824',
    ],
    [
      { LOG_LEVEL: 'loud' },
      'LOG_LEVEL is "loud"; allowed: one of fatal, error, warn, info, debug, trace, silent',
    ],
    [{ REDIS_URL: 'redis' }, 'REDIS_URL is "redis"; allowed: a redis:// or rediss:// URL'],
    [
      { REDIS_URL: 'redis://redis:6379/cache' },
      'REDIS_URL is "redis://redis:6379/cache"; allowed: a redis:// or rediss:// URL whose path, if it has one, is the number of a database',
    ],
    [{ PORT: '9464' }, 'METRICS_PORT is "9464"; allowed: a port other than PORT, which serves gRPC'],
    [{ REDIS_URL: 'http://user:secret@redis' }, 'REDIS_URL is bad; allowed: a redis:// or rediss:// URL'],
  ])('refuses %j', (environment, message) => {
    expect(() => readProcessorConfig(environment)).toThrow(new EnvironmentError(message));
  });

  it.each([
    'http://minio:9000',
    'minio/images',
    '*.example.com',
    '10.0.0.0/8',
    'minio:70000',
    'minio:port',
    'user@minio',
    'fd00::1',
    '[fd00::1',
    'a b',
    'minio, 10.0.0.0/8',
  ])('refuses %s as a host of URL_ALLOWED_HOSTS', (hosts) => {
    expect(() => readProcessorConfig({ URL_ALLOWED_HOSTS: hosts })).toThrow(
      /^URL_ALLOWED_HOSTS is ("|bad).*; allowed: hosts, or host:port, .* without scheme, path, wildcard or address range/,
    );
  });

  it.each(['s3://photos', '*', 'photos/../a', 'Photos'])('refuses %s in SOURCE_BUCKETS', (buckets) => {
    expect(() => readProcessorConfig({ SOURCE_BUCKETS: buckets })).toThrow(
      /^SOURCE_BUCKETS is .*; allowed: buckets, or bucket\/prefix/,
    );
  });

  it('accepts names, addresses and ports in URL_ALLOWED_HOSTS, and paths in Redis URLs', () => {
    const hosts = ['minio', 'minio:9000', '10.0.0.7', '[fd00::1]', '[::1]:80', 'bücher.example', 'a_b:1'];
    expect(readProcessorConfig({ URL_ALLOWED_HOSTS: hosts.join(',') }).URL_ALLOWED_HOSTS).toEqual(hosts);
    for (const url of [
      'redis://redis',
      'rediss://:x@redis:6380/',
      'redis://redis/15',
      'unix:///run/redis.sock',
    ]) {
      expect(readProcessorConfig({ REDIS_URL: url }).REDIS_URL).toBe(url);
    }
  });

  it('describes the purpose of each variable', () => {
    for (const schema of Object.values(processorEnvironment.shape)) {
      expect(schema.description).toMatch(/\w+ \w+/);
    }
  });
});
