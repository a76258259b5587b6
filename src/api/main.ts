import process from 'node:process';
import { releaseMemoryAtRest } from '../at-rest.ts';
import { EnvironmentError } from '../environment.ts';
import { drainOnSignal } from '../shutdown.ts';
import { readApiConfig } from './config.ts';
import { openApi } from './open.ts';

try {
  const config = readApiConfig(process.env);
  await openApi(config, config.processorUrl, ({ drain }, log) => {
    drainOnSignal(drain, config.shutdownDelayMs + config.shutdownTimeoutMs, log);
  });
  releaseMemoryAtRest();
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(78); // EX_CONFIG of sysexits.h
}
