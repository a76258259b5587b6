import process from 'node:process';
import { releaseMemoryAtRest } from '../at-rest.ts';
import { EnvironmentError } from '../environment.ts';
import { drainOnSignal } from '../shutdown.ts';
import { readProcessorConfig } from './config.ts';
import { openProcessor } from './open.ts';

try {
  const config = readProcessorConfig(process.env);
  await openProcessor(config, ({ drain }, log) => {
    drainOnSignal(drain, config.SHUTDOWN_DELAY_MS + config.SHUTDOWN_TIMEOUT_MS, log);
  });
  releaseMemoryAtRest();
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`image-processor cannot start:\n${error.message}\n`);
  // Workers may already run.
  process.exit(78); // EX_CONFIG of sysexits.h
}
