import process from 'node:process';
import { EnvironmentError, misspeltVariables } from '../environment.ts';
import { drainOnSignal } from '../shutdown.ts';
import { reportToStarter } from '../starter.ts';
import { createLogger } from '../telemetry/telemetry.ts';
import { announceAuthentication } from './auth/auth.ts';
import { type ApiConfig, apiEnvironment, readApiConfig } from './config.ts';
import { type RunningApi, startApi } from './server.ts';

const config = readConfigOrExit();
const log = createLogger('image-api', config.logLevel);
const api = await startOrExit();
drainOnSignal(api.drain, config.shutdownDelayMs + config.shutdownTimeoutMs, log);
for (const warning of misspeltVariables(Object.keys(apiEnvironment.shape), process.env)) log.warn(warning);
// After the handlers of signals are set: a supervisor may send one as soon as it reads this line.
log.info({ host: config.host, port: api.port, processor: config.processorUrl }, 'image-api listens');
announceAuthentication(config, log);
// Before `npm start` prints that both services are ready.
log.flush();
reportToStarter({ port: api.port });

async function startOrExit(): Promise<RunningApi> {
  try {
    return await startApi(config, log);
  } catch (error) {
    exitIfEnvironment(error);
    throw error;
  }
}

/** A bad environment ends the process with 78, EX_CONFIG of sysexits.h. */
function readConfigOrExit(): ApiConfig {
  try {
    return readApiConfig(process.env);
  } catch (error) {
    exitIfEnvironment(error);
    throw error;
  }
}

function exitIfEnvironment(error: unknown): void {
  if (!(error instanceof EnvironmentError)) return;
  process.stderr.write(`${error.message}\n`);
  process.exit(78);
}
