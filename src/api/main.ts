import { EnvironmentError } from '../environment.ts';
import { drainOnSignal } from '../shutdown.ts';
import { createLogger } from '../telemetry.ts';
import { announceAuthentication } from './auth.ts';
import { type ApiConfig, readApiConfig } from './config.ts';
import { startApi } from './server.ts';

const config = readConfigOrExit();
const log = createLogger('image-api', config.logLevel);
const api = await startApi(config, log);
drainOnSignal(api.drain, config.shutdownDelayMs + config.shutdownTimeoutMs, log);
// Not before a signal would be heeded: whoever waits for this line may send one.
log.info({ host: config.host, port: api.port, processor: config.processorUrl }, 'image-api listens');
announceAuthentication(config, log);

/** A bad environment ends the process with 78, EX_CONFIG of sysexits.h. */
function readConfigOrExit(): ApiConfig {
  try {
    return readApiConfig(process.env);
  } catch (error) {
    if (!(error instanceof EnvironmentError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(78);
  }
}
