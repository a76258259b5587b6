import { existsSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import type { RunningApi } from '../api/server.ts';
import { EnvironmentError } from '../environment.ts';
import { pathOf } from '../programs.ts';
import { drainWithin } from '../shutdown.ts';
import type { Logger } from '../telemetry/telemetry.ts';
import { collectorFlag } from './collector-flag.ts';
import { readStartConfig, type StartConfig } from './config.ts';
import { choosePort, reachableHost } from './free-port.ts';
import { type ProcessorProcess, startProcessorProcess } from './processor-process.ts';
import { startEvent, startScreen } from './screen.ts';

/*
 * `npm start`: both services on this machine, with nothing else needed, and one command to try. image-api runs in this
 * process, image-processor in its own. On a terminal and in a pipe it prints a screen and the services' warnings; with
 * NODE_ENV=production everything is JSON lines. (The container images start each service directly; a service always
 * logs JSON lines.)
 */

const isForPerson = process.env.NODE_ENV !== 'production';

/** image-api once it listens, and its log. */
interface OpenApi {
  readonly api: RunningApi;
  readonly log: Logger;
}

let processor: ProcessorProcess | undefined;
let opened: OpenApi | undefined;
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
  config = readStartConfig(environment, ports);
  endWithUs();

  processor = startProcessorProcess(environment, {
    HOST: processorHost,
    PORT: ports.PROCESSOR_PORT,
    METRICS_PORT: ports.METRICS_PORT,
  });
  // If one service ends, the other is useless.
  void processor.ended.then((code) => end(code));
  // For a person both load at the same time. In production image-api listens when image-processor does, since supervisors
  // take its port for that of a service that has started.
  const isKnown = isForPerson && processorHost === '127.0.0.1' && ports.PROCESSOR_PORT !== '0';
  const early = isKnown ? openOurApi(`http://127.0.0.1:${ports.PROCESSOR_PORT}`) : undefined;
  // It is awaited below.
  early?.catch(() => {});
  const reported = await processor.listening;
  if (reported === undefined) return;
  const { port, jpegDecoder } = reported;
  const { api } = await (early ?? openOurApi(await urlOf(port, processorHost)));
  while (ending === undefined) {
    if (await api.isReady()) {
      announce(api.port, port, jpegDecoder);
      break;
    }
    await sleep(20);
  }
}

async function openOurApi(processorUrl: string): Promise<OpenApi> {
  const { openApi } = await import('../api/open.ts');
  const own = process.env.PROCESSOR_URL ? config.api : { ...config.api, processorUrl };
  await openApi(own, (api, log) => {
    opened = { api, log };
  });
  return opened as OpenApi;
}

/** `localhost` may resolve only to IPv4 on a machine that has only IPv6. */
async function urlOf(processorPort: number, processorHost: string): Promise<string> {
  const own = (await reachableHost(processorPort, ['127.0.0.1', '::1', processorHost])) ?? 'localhost';
  return `http://${own}:${processorPort}`;
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
  const { shutdownDelayMs, shutdownTimeoutMs } = config?.api ?? {};
  const ofApi =
    opened === undefined
      ? 0
      : await drainWithin(opened.api.drain, shutdownDelayMs + shutdownTimeoutMs, opened.log, why);
  // Its last lines come before those of image-processor.
  opened?.log.flush();
  processor?.end();
  process.exit(Math.max(code, ofApi, (await processor?.ended) ?? 0));
}

function announce(apiPort: number, processorPort: number, jpegDecoder: string | undefined): void {
  const started = {
    apiUrl: `http://localhost:${apiPort}`,
    processorAddress: `localhost:${processorPort}`,
    // Set if the default port 8080 was taken.
    takenPort: process.env.PORT || apiPort === 8080 ? undefined : 8080,
    sample: pathOfSample(),
    jpegDecoder,
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
