import { type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

export type { Logger };

/**
 * The service's log: one JSON line per event on standard output. The level is a word, as log collectors
 * expect it. Bodies and the query strings of URLs are never logged.
 */
export function createLogger(service: string, level: string): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Written at once: otherwise the last lines before process.exit() change places or get lost.
    pino.destination({ dest: 1, sync: true }),
  );
}

/** A registry of its own (two services can live in one process, as in tests) with the process's own figures. */
export function createMetricsRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
