import process from 'node:process';

/** The report of a service that listens: its ports, and for the start screen what image-processor has loaded. */
export interface Report {
  readonly port: number;
  readonly metricsPort?: number;
  /** Of image-processor: the library that decodes JPEGs. */
  readonly jpegDecoder?: string;
}

/**
 * Reports a listening service to `npm start`, and drains the service when `npm start` ends, even by SIGKILL. Does nothing
 * in a service that was started directly.
 */
export function reportToStarter(report: Report): void {
  if (process.send === undefined) return;
  process.send(report);
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
