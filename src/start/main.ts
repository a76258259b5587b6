import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import type { RunningApi } from '../api/server.ts';
import { releaseMemoryAtRest } from '../at-rest.ts';
import { collectorFlag } from '../collector-flag.ts';
import { EnvironmentError } from '../environment.ts';
import { jpegCodecOf } from '../jpeg-codec.ts';
import type { Processor } from '../processor/processor.ts';
import { pathOf } from '../programs.ts';
import { drainWithin } from '../shutdown.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import { readStartConfig, type StartConfig } from './config.ts';
import { choosePort } from './free-port.ts';
import { startEvent, startScreen } from './screen.ts';

/*
 * `npm start`: both services in one process on this machine, with nothing else needed, and one command to try. image-api
 * calls image-processor without a connection; only workers have processes of their own. On a terminal and in a pipe it
 * prints a screen and the services' warnings; with NODE_ENV=production everything is JSON lines. (The container images of
 * each service start it directly; a service always logs JSON lines.)
 */

const isForPerson = process.env.NODE_ENV !== 'production';

/** A service that listens, and its log. */
interface Opened<Service> {
  readonly service: Service;
  readonly log: Logger;
}

let processor: Opened<Processor> | undefined;
let api: Opened<RunningApi> | undefined;
let ending: Promise<void> | undefined;
let config: StartConfig;

setFlagsFromString(collectorFlag);
try {
  await startBoth();
} catch (error) {
  if (!(error instanceof EnvironmentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  await end(78); // EX_CONFIG of sysexits.h
}

async function startBoth(): Promise<void> {
  const host = process.env.HOST || '127.0.0.1';
  const processorHost = process.env.PROCESSOR_HOST || host;
  const ports = {
    PORT: await choosePort('PORT', 8080, host),
    PROCESSOR_PORT: await choosePort('PROCESSOR_PORT', 50_051, processorHost),
    METRICS_PORT: await choosePort('METRICS_PORT', 9464, processorHost),
  };
  const environment = { LOG_LEVEL: isForPerson ? 'warn' : 'info', ...process.env };
  config = readStartConfig({ ...environment, PROCESSOR_HOST: processorHost }, ports);
  endWithUs();

  const { openProcessor } = await import('../processor/open.ts');
  // Loaded while the workers start.
  const loading = import('../api/open.ts');
  const ofProcessor = await openProcessor(config.processor, (service, log) => {
    processor = { service, log };
  });
  releaseMemoryAtRest();
  if (ending !== undefined) return;
  // In this order: supervisors take the port of image-api for that of a service that has started.
  const { openApi } = await loading;
  const ofApi = await openApi(config.api, process.env.PROCESSOR_URL || ofProcessor, (service, log) => {
    api = { service, log };
    // A signal came while it opened.
    if (ending !== undefined) void service.drain();
  });
  while (ending === undefined) {
    if (await ofApi.isReady()) {
      announce(ofApi.port, ofProcessor);
      break;
    }
    await sleep(20);
  }
}

function endWithUs(): void {
  // Terminals and npm may send a signal twice, so further ones are ignored: the services finish their requests.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => void end(0, { signal }));
  }
  // npm runs this under a shell, which ends at a signal without forwarding it.
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void end(0);
  }, 500).unref();
}

/**
 * Ends image-api, then image-processor, because requests that are still arriving need it, then this process.
 *
 * @param code - the exit code unless a service has a higher one
 * @param why - fields for the log
 */
function end(code: number, why?: Readonly<Record<string, string>>): Promise<void> {
  ending ??= endBoth(code, why);
  return ending;
}

async function endBoth(code: number, why?: Readonly<Record<string, string>>): Promise<void> {
  const { shutdownDelayMs = 0, shutdownTimeoutMs = 0 } = config?.api ?? {};
  const ofApi = await drained(api, shutdownDelayMs + shutdownTimeoutMs, why);
  const { SHUTDOWN_DELAY_MS = 0, SHUTDOWN_TIMEOUT_MS = 0 } = config?.processor ?? {};
  const ofProcessor = await drained(processor, SHUTDOWN_DELAY_MS + SHUTDOWN_TIMEOUT_MS, why);
  process.exit(Math.max(code, ofApi, ofProcessor));
}

/** @returns the exit code; 0 if there is nothing to drain yet */
async function drained(
  opened: Opened<{ drain(): Promise<void> }> | undefined,
  timeoutMs: number,
  why?: Readonly<Record<string, string>>,
): Promise<number> {
  if (opened === undefined) return 0;
  const code = await drainWithin(opened.service.drain, timeoutMs, opened.log, why);
  opened.log.flush();
  return code;
}

function announce(apiPort: number, { port, libraries }: Processor): void {
  const started = {
    apiUrl: `http://localhost:${apiPort}`,
    processorAddress: `localhost:${port}`,
    // Set if the default port 8080 was taken.
    takenPort: process.env.PORT || apiPort === 8080 ? undefined : 8080,
    sample: pathOfSample(),
    jpegDecoder: jpegCodecOf(libraries),
    ...config,
  };
  process.stdout.write(isForPerson ? startScreen(started, hasColours()) : startEvent(started));
}

/** The sample of the checkout or the package, as the user can type it; an image without it runs elsewhere. */
function pathOfSample(): string {
  const path = pathOf('test/fixtures/sample.jpg');
  if (!existsSync(path)) return 'photo.jpg';
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith('..') ? path : fromHere;
}

/** Follows https://no-color.org; pipes and files get no colours. */
function hasColours(): boolean {
  return process.stdout.isTTY === true && process.stdout.hasColors() && !process.env.NO_COLOR;
}
