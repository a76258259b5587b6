import process from 'node:process';
import { type DestinationStream, type Logger, pino } from 'pino';
import { collectDefaultMetrics, Registry } from 'prom-client';

export type { Logger };

/**
 * The service's log: one JSON line per event on standard output. The level is a word, as log collectors
 * expect it. Bodies and the query strings of URLs are never logged.
 */
/** @param file - the descriptor that lines are written to: standard output unless given */
export function createLogger(service: string, level: string, file = 1): Logger {
  return pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    linesTogether(file),
  );
}

/** Longest time in milliseconds that a line waits to be written with those that follow it. */
const longestWaitMs = 50;

/** Characters of lines that are written without a wait. */
const longestTogether = 8192;

/**
 * A file such as standard output. The lines of some milliseconds are written together: a system call per line would be a tenth of what
 * a refused request costs. The last ones are written when the process exits, in their order.
 */
function linesTogether(file: number): DestinationStream & { flush(): void } {
  const output = pino.destination({ dest: file, sync: true, minLength: longestTogether });
  let willFlush = false;
  function flush(): void {
    willFlush = false;
    output.flush();
  }
  process.once('exit', flush);
  return {
    write(line) {
      output.write(line);
      if (!willFlush) setTimeout(flush, longestWaitMs);
      willFlush = true;
    },
    // Called by Logger.flush.
    flush,
  };
}

/** A registry of its own (two services can live in one process, as in tests) with the process's own figures. */
export function createMetricsRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  return registry;
}
