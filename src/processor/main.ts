import process from 'node:process';
import { releaseMemoryAtRest } from '../at-rest.ts';
import { EnvironmentError, misspeltVariables } from '../environment.ts';
import { jpegCodecOf } from '../jpeg-codec.ts';
import { drainOnSignal } from '../shutdown.ts';
import { reportToStarter } from '../starter.ts';
import { createLogger } from '../telemetry/telemetry.ts';
import { processorEnvironment, readProcessorConfig } from './config.ts';
import { startProcessor } from './processor.ts';

try {
  const config = readProcessorConfig(process.env);
  const log = createLogger('image-processor', config.LOG_LEVEL);
  const processor = await startProcessor(config, log);
  releaseMemoryAtRest();
  drainOnSignal(processor.drain, config.SHUTDOWN_DELAY_MS + config.SHUTDOWN_TIMEOUT_MS, log);
  for (const warning of misspeltVariables(Object.keys(processorEnvironment.shape), process.env))
    log.warn(warning);
  // Logged after the signal handlers are set: a supervisor may send a signal as soon as it reads this line.
  const { port, metricsPort, libraries } = processor;
  const jpegDecoder = jpegCodecOf(libraries);
  log.info({ host: config.HOST, port, metricsPort, jpegDecoder }, 'image-processor listens');
  // Before `npm start` prints that both services are ready.
  log.flush();
  reportToStarter({ port, metricsPort, jpegDecoder });
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`image-processor cannot start:\n${error.message}\n`);
  // Workers may already run.
  process.exit(78); // EX_CONFIG of sysexits.h
}
