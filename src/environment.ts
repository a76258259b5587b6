import * as z from 'zod';
import { nearestNames } from './nearest-names.ts';
import { numberInRange, oneOf, wholeNumber } from './options/text-schemas.ts';
import { samplerNames } from './telemetry/tracing.ts';

/**
 * The environment as typed values: the same rules for both services. A schema's message for a bad value
 * states the allowed values; `readEnvironment` puts the variable's name and its value before it.
 */

/** The variables that both services read. @param port - the service's own default */
export function commonEnvironment(port: number) {
  return {
    HOST: z
      .string()
      .default('127.0.0.1')
      .describe('Address to listen on; :: in a container, which is IPv6 and IPv4'),
    PORT: wholeNumber(0, 65_535).default(port).describe('Port to listen on; 0 takes a free one'),
    MAX_IDLE_STREAMS: wholeNumber(1, 100_000)
      .default(256)
      .describe('Streams without an image in work; beyond the limit, the caller with most of them loses one'),
    MAX_IDLE_STREAMS_PER_CALLER: wholeNumber(1, 100_000)
      .default(32)
      .describe('Streams of one caller without an image in work; further ones are refused'),
    STREAM_IDLE_TIMEOUT_MS: wholeNumber(1, 86_400_000)
      .default(60_000)
      .describe('Longest time that a stream has no image in work'),
    MAX_IDLE_CONNECTIONS: wholeNumber(1, 1_000_000)
      .default(2000)
      .describe(
        'Connections without a whole request; beyond the limit, the caller with most of them loses one',
      ),
    MAX_IDLE_CONNECTIONS_PER_CALLER: wholeNumber(1, 1_000_000)
      .default(500)
      .describe(
        'Connections of one address without a whole request; beyond the limit, the longest idle are closed',
      ),
    LOG_LEVEL: oneOf(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('Lowest level that is logged'),
    SHUTDOWN_DELAY_MS: wholeNumber(0, 300_000)
      .default(0)
      .describe(
        'Time between "not ready" and the closing of the port after SIGTERM, so that balancers notice',
      ),
    SHUTDOWN_TIMEOUT_MS: wholeNumber(0, 600_000)
      .default(20_000)
      .describe('Longest wait for requests in flight after SIGTERM'),
    OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl()
      .optional()
      .describe('OpenTelemetry collector of traces, by http/protobuf; unset: no tracing'),
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: httpUrl()
      .optional()
      .describe('The same as a whole URL, without an appended /v1/traces'),
    OTEL_SERVICE_NAME: z.string().optional().describe("Name in traces; unset: the service's own"),
    OTEL_TRACES_SAMPLER: oneOf(samplerNames)
      .default('parentbased_always_on')
      .describe('Which traces are recorded'),
    OTEL_TRACES_SAMPLER_ARG: numberInRange(0, 1)
      .default(1)
      .describe('Fraction of the traces that the traceidratio samplers record'),
  };
}

/**
 * Variables that are set but not read, and whose names are almost those of ours.
 *
 * @param names - of our variables
 * @returns a sentence for each
 */
export function misspeltVariables(
  names: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): string[] {
  const lowerCase = names.map((name) => name.toLowerCase());
  return Object.keys(environment).flatMap((given) => {
    // Short names are near to many others: HOME to HOST, for example.
    if (names.includes(given) || given.length < 6) return [];
    const [nearest] = nearestNames(given, lowerCase, given.length < 8 ? 1 : 2);
    if (nearest === undefined) return [];
    return [`The environment variable ${given} is not read; did you mean ${nearest.toUpperCase()}?`];
  });
}

function httpUrl() {
  return z.url({ protocol: /^https?$/, error: 'an http:// or https:// URL' });
}

/** An environment that a service cannot start with. The message has one line per variable. */
export class EnvironmentError extends Error {
  override readonly name = 'EnvironmentError';
}

/**
 * Reads and checks the environment. An empty variable counts as unset.
 *
 * @throws EnvironmentError with a line for every bad variable: its name, its value and what is allowed
 */
export function readEnvironment<Schema extends z.ZodObject>(
  schema: Schema,
  environment: Readonly<Record<string, string | undefined>>,
): z.output<Schema> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      const value = environment[name];
      return value === undefined || value === '' ? [] : [[name, value]];
    }),
  );
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  const lines = new Map(
    parsed.error.issues.map((issue) => {
      const name = issue.path.join('.');
      const value = given[name];
      // Even a mistyped URL may contain a password.
      const shown = value === undefined ? 'is not set' : value.includes('@') ? 'is bad' : `is "${value}"`;
      return [name, `${name} ${shown}; allowed: ${issue.message}`];
    }),
  );
  throw new EnvironmentError([...lines.values()].join('\n'));
}

/** The limits of idle streams and connections, out of the variables of both services. */
export function idleLimits(values: {
  readonly MAX_IDLE_STREAMS: number;
  readonly MAX_IDLE_STREAMS_PER_CALLER: number;
  readonly STREAM_IDLE_TIMEOUT_MS: number;
  readonly MAX_IDLE_CONNECTIONS: number;
  readonly MAX_IDLE_CONNECTIONS_PER_CALLER: number;
}) {
  return {
    idleStreams: {
      total: values.MAX_IDLE_STREAMS,
      perCaller: values.MAX_IDLE_STREAMS_PER_CALLER,
      timeoutMs: values.STREAM_IDLE_TIMEOUT_MS,
    },
    idleConnections: {
      total: values.MAX_IDLE_CONNECTIONS,
      perCaller: values.MAX_IDLE_CONNECTIONS_PER_CALLER,
    },
  };
}
