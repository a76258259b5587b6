import process from 'node:process';
import { EnvironmentError } from '../environment.ts';
import { drainOnSignal } from '../shutdown.ts';
import { reportToStarter } from '../starter.ts';
import { readApiConfig } from './config.ts';
import { openApi } from './open.ts';

try {
  const config = readApiConfig(process.env);
  const { port } = await openApi(config, ({ drain }, log) => {
    drainOnSignal(drain, config.shutdownDelayMs + config.shutdownTimeoutMs, log);
  });
  reportToStarter({ port });
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(78); // EX_CONFIG of sysexits.h
}
