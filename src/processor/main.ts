import process from 'node:process';
import { EnvironmentError } from '../environment.ts';
import { drainOnSignal } from '../shutdown.ts';
import { createLogger } from '../telemetry.ts';
import { readProcessorConfig } from './config.ts';
import { startProcessor } from './processor.ts';

try {
  const config = readProcessorConfig(process.env);
  const log = createLogger('image-processor', config.LOG_LEVEL);
  const processor = await startProcessor(config, log);
  drainOnSignal(processor.drain, config.SHUTDOWN_DELAY_MS + config.SHUTDOWN_TIMEOUT_MS, log);
  // Only now: who reads this line may send a signal at once.
  const { port, metricsPort } = processor;
  log.info({ host: config.HOST, port, metricsPort }, 'image-processor listens');
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`image-processor cannot start:\n${error.message}\n`);
  process.exitCode = 78; // EX_CONFIG of sysexits.h
}
