import process from 'node:process';

/** The ports that a service listens on. */
export interface Ports {
  readonly port: number;
  readonly metricsPort?: number;
}

/**
 * Reports a listening service to `npm start`, and drains the service when `npm start` ends, even by SIGKILL. Does nothing
 * in a service that was started directly.
 */
export function reportToStarter(ports: Ports): void {
  if (process.send === undefined) return;
  process.send(ports);
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
}
