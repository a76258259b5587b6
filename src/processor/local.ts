import { setFlagsFromString } from 'node:v8';
import { collectorFlag } from '../collector-flag.ts';
import { createLogger } from '../telemetry/telemetry.ts';
import { readProcessorConfig } from './config.ts';
import { createProcessor, type LocalProcessor } from './processor.ts';

/**
 * Opens image-processor for this process only: it listens on no port, and its log goes to standard error.
 *
 * @param environment - as for image-processor; its ports and SHUTDOWN_DELAY_MS have no effect
 * @throws EnvironmentError
 */
export async function openLocalProcessor(
  environment: Readonly<Record<string, string | undefined>>,
): Promise<Omit<LocalProcessor, 'listen'>> {
  const config = readProcessorConfig({
    LOG_LEVEL: 'warn',
    ...environment,
    PORT: '0',
    METRICS_PORT: '0',
    SHUTDOWN_DELAY_MS: '0',
  });
  setFlagsFromString(collectorFlag);
  return await createProcessor(config, createLogger('image-processor', config.LOG_LEVEL, process.stderr.fd));
}
