import process from 'node:process';
import { misspeltVariables } from '../environment.ts';
import type { ListeningServer } from '../grpc/unary-call.ts';
import { createLogger, type Logger } from '../telemetry/telemetry.ts';
import { announceAuthentication } from './auth/auth.ts';
import { type ApiConfig, apiEnvironment } from './config.ts';
import { type RunningApi, startApi } from './server.ts';

/**
 * Starts image-api in this process and logs that it listens.
 *
 * @param processors - as for `startApi`
 * @param handleSignals - is called before the line is logged: a supervisor may send a signal as soon as it reads it
 * @throws EnvironmentError if the environment is bad
 */
export async function openApi(
  config: ApiConfig,
  processors: string | ListeningServer,
  handleSignals: (api: RunningApi, log: Logger) => void,
): Promise<RunningApi> {
  const log = createLogger('image-api', config.logLevel);
  const api = await startApi(config, processors, log);
  handleSignals(api, log);
  for (const warning of misspeltVariables(Object.keys(apiEnvironment.shape), process.env)) log.warn(warning);
  const processor = typeof processors === 'string' ? processors : 'in this process';
  log.info({ host: config.host, port: api.port, processor }, 'image-api listens');
  announceAuthentication(config, log);
  // Before `npm start` prints that both services are ready.
  log.flush();
  return api;
}
