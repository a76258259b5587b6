import process from 'node:process';
import { EnvironmentError } from '../environment.ts';
import { drainOnSignal } from '../shutdown.ts';
import { createLogger } from '../telemetry.ts';
import { readProcessorConfig } from './config.ts';

try {
  const config = readProcessorConfig(process.env);
  // libuv's threads decode and encode for the workers; four more are for names, files and headers. libuv
  // reads it when the first of them starts, and sharp starts one when it is imported.
  process.env.UV_THREADPOOL_SIZE ??= String(config.WORKERS + 4);
  const { startProcessor } = await import('./processor.ts');
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
