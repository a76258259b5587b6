import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { apiEnvironment } from '../src/api/config.ts';
import {
  commonEnvironment,
  EnvironmentError,
  misspeltVariables,
  readEnvironment,
} from '../src/environment.ts';
import { oneOf, wholeNumber } from '../src/options/text-schemas.ts';
import { processorEnvironment } from '../src/processor/config.ts';

const schema = z.object({
  COUNT: wholeNumber(1, 9).default(3),
  COLOUR: oneOf(['red', 'blue']),
  STORE_URL: z.url({ error: 'a URL' }).optional(),
});

function refusal(environment: Record<string, string | undefined>): string {
  try {
    readEnvironment(schema, environment);
  } catch (error) {
    if (error instanceof EnvironmentError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe(readEnvironment, () => {
  it('reads the set variables, fills in the defaults and ignores all others', () => {
    expect(readEnvironment(schema, { COLOUR: 'red', COUNT: '5', PATH: '/bin' })).toEqual({
      COLOUR: 'red',
      COUNT: 5,
    });
    expect(readEnvironment(schema, { COLOUR: 'blue' })).toEqual({ COLOUR: 'blue', COUNT: 3 });
  });

  it('treats an empty variable as unset', () => {
    expect(readEnvironment(schema, { COLOUR: 'red', COUNT: '' })).toEqual({ COLOUR: 'red', COUNT: 3 });
    expect(refusal({ COLOUR: '' })).toBe('COLOUR is not set; allowed: one of red, blue');
  });

  it('reports all problems at once, one line per variable', () => {
    expect(refusal({ COLOUR: 'green', COUNT: '10' })).toBe(
      'COUNT is "10"; allowed: a whole number from 1 to 9\nCOLOUR is "green"; allowed: one of red, blue',
    );
  });

  it.each(['redis://user:secret@', '//:secret@host', 'secret@host'])(
    'does not print a value that may hold a password: %s',
    (value) => {
      expect(refusal({ COLOUR: 'red', STORE_URL: value })).toBe('STORE_URL is bad; allowed: a URL');
    },
  );
});

describe(commonEnvironment, () => {
  it('has the service’s own port by default and listens only on this machine', () => {
    expect(readEnvironment(z.object(commonEnvironment(1234)), {})).toEqual({
      HOST: '127.0.0.1',
      PORT: 1234,
      MAX_IDLE_STREAMS: 256,
      MAX_IDLE_STREAMS_PER_CALLER: 32,
      STREAM_IDLE_TIMEOUT_MS: 60_000,
      MAX_IDLE_CONNECTIONS: 2000,
      MAX_IDLE_CONNECTIONS_PER_CALLER: 500,
      LOG_LEVEL: 'info',
      SHUTDOWN_DELAY_MS: 0,
      SHUTDOWN_TIMEOUT_MS: 20_000,
      OTEL_TRACES_SAMPLER: 'parentbased_always_on',
      OTEL_TRACES_SAMPLER_ARG: 1,
    });
  });

  it.each([
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4318', 'an http:// or https:// URL'],
    ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'grpc://collector', 'an http:// or https:// URL'],
    ['OTEL_TRACES_SAMPLER_ARG', '1.5', 'a number from 0 to 1'],
    ['OTEL_TRACES_SAMPLER_ARG', 'half', 'a number from 0 to 1'],
  ])('refuses %s=%s', (name, value, allowed) => {
    const read = () => readEnvironment(z.object(commonEnvironment(1234)), { [name]: value });
    expect(read).toThrow(`${name} is "${value}"; allowed: ${allowed}`);
  });
});

describe(misspeltVariables, () => {
  const names = Object.keys(apiEnvironment.shape);

  it.each([
    ['IMAGE_WITDH', 'IMAGE_WIDTH'],
    ['IMAGE_GREYSCALE', 'IMAGE_GRAYSCALE'],
    ['MAX_UPLOAD_BYTE', 'MAX_UPLOAD_BYTES'],
    ['image_fit', 'IMAGE_FIT'],
    ['API_KEY_FILE', 'API_KEYS_FILE'],
  ])('warns of %s', (given, meant) => {
    expect(misspeltVariables(names, { [given]: '1' })).toEqual([
      `The environment variable ${given} is not read; did you mean ${meant}?`,
    ]);
  });

  it('is silent about the variables of a shell, of Kubernetes and of the other service', () => {
    const usual = [
      'HOME',
      'HOSTNAME',
      'SHELL',
      'PATH',
      'PWD',
      'OLDPWD',
      'USER',
      'LOGNAME',
      'TERM',
      'LANG',
      'SHLVL',
    ];
    const kubernetes = [
      'KUBERNETES_SERVICE_HOST',
      'KUBERNETES_PORT',
      'NODE_ENV',
      'NODE_OPTIONS',
      'NODE_VERSION',
    ];
    const ours = [apiEnvironment, processorEnvironment].flatMap(({ shape }) => Object.keys(shape));
    const environment = Object.fromEntries([...usual, ...kubernetes, ...ours].map((name) => [name, '1']));
    for (const { shape } of [apiEnvironment, processorEnvironment]) {
      expect(misspeltVariables(Object.keys(shape), environment)).toEqual([]);
    }
  });
});
