import process from 'node:process';
import { misspeltVariables } from '../environment.ts';
import { jpegCodecOf } from '../jpeg-codec.ts';
import { createLogger, type Logger } from '../telemetry/telemetry.ts';
import { type ProcessorConfig, processorEnvironment } from './config.ts';
import { type Processor, startProcessor } from './processor.ts';

/**
 * Starts image-processor in this process and logs that it listens.
 *
 * @param handleSignals - is called before the line is logged: a supervisor may send a signal as soon as it reads it
 * @throws EnvironmentError if the environment is bad
 */
export async function openProcessor(
  config: ProcessorConfig,
  handleSignals: (processor: Processor, log: Logger) => void,
): Promise<Processor> {
  const log = createLogger('image-processor', config.LOG_LEVEL);
  const processor = await startProcessor(config, log);
  handleSignals(processor, log);
  for (const warning of misspeltVariables(Object.keys(processorEnvironment.shape), process.env))
    log.warn(warning);
  const { port, metricsPort, libraries } = processor;
  const jpegDecoder = jpegCodecOf(libraries);
  log.info({ host: config.HOST, port, metricsPort, jpegDecoder }, 'image-processor listens');
  // Before `npm start` prints that both services are ready.
  log.flush();
  return processor;
}
