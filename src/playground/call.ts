import { Code, ConnectError, createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.ts';
import {
  type GetPresetResponse,
  type Preset,
  ProcessorService,
  type ProcessRequest,
  type ProcessResponse,
} from '../../gen/image/v1/processor_pb.ts';
import { Failure, failureKinds, isFailureReason } from '../failures.ts';
import { origin } from './origin.ts';

/** Why a call failed, for people. */
export interface Problem {
  /** A reason of the table of failures, or UNREACHABLE. */
  readonly reason: string;
  readonly title: string;
  readonly message: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const client = createClient(
  ProcessorService,
  createConnectTransport({ baseUrl: origin, useBinaryFormat: true }),
);

let apiKey = '';

/** Keeps the API key in memory, for the calls of this page. */
export function useApiKey(key: string): void {
  apiKey = key;
}

/** One image through Connect. @throws ConnectError */
export function callProcess(request: ProcessRequest, signal: AbortSignal): Promise<ProcessResponse> {
  return client.process(request, options(signal));
}

/**
 * Several outputs of one image, which is sent once. The responses are in the order of the requests.
 *
 * @throws ConnectError
 */
export async function callVariants(
  source: ProcessRequest['source'],
  requests: readonly ProcessRequest[],
  signal: AbortSignal,
): Promise<readonly ProcessResponse[]> {
  const [only, another] = requests;
  if (only !== undefined && another === undefined) return [await callProcess({ ...only, source }, signal)];
  const { variants } = await client.processVariants({ source, variants: [...requests] }, options(signal));
  return variants;
}

/** All presets, in the order of their names. @throws ConnectError */
export async function callListPresets(signal: AbortSignal): Promise<readonly Preset[]> {
  const presets: Preset[] = [];
  let cursor = '';
  do {
    const page = await client.listPresets({ limit: 1000, cursor }, options(signal));
    presets.push(...page.presets);
    cursor = page.nextCursor;
  } while (cursor !== '');
  return presets;
}

/** Asks for the steps of one preset. @throws ConnectError */
export function callGetPreset(name: string, signal: AbortSignal): Promise<GetPresetResponse> {
  return client.getPreset({ name }, options(signal));
}

function options(signal: AbortSignal) {
  return { signal, headers: apiKey === '' ? {} : { Authorization: `Bearer ${apiKey}` } };
}

/** The problem of an error; undefined if the page itself cancelled the call. */
export function callProblem(thrown: unknown, signal: AbortSignal): Problem | undefined {
  if (signal.aborted) return undefined;
  if (thrown instanceof Failure) {
    const { reason, message, metadata } = thrown;
    return { reason, title: failureKinds[reason].title, message, metadata };
  }
  const error = ConnectError.from(thrown);
  const [info] = error.findDetails(ErrorInfoSchema);
  const reason = info?.reason ?? '';
  if (isFailureReason(reason)) {
    // The requests of one view are variants; the visitor knows no indices.
    const message = error.rawMessage.replace(/^Variant \d+: /, '');
    return { reason, title: failureKinds[reason].title, message, metadata: info?.metadata ?? {} };
  }
  if (error.code === Code.Unauthenticated) {
    const { title } = failureKinds.UNAUTHENTICATED;
    return { reason: 'UNAUTHENTICATED', title, message: 'The service asks for an API key.', metadata: {} };
  }
  // Browsers throw a TypeError if they cannot connect.
  if (error.cause instanceof TypeError || thrown instanceof TypeError) {
    return {
      reason: 'UNREACHABLE',
      title: 'The service cannot be reached',
      message: `Nothing responds at ${origin}. Check that image-api runs and that you are online, then press Process.`,
      metadata: {},
    };
  }
  return { reason: Code[error.code], title: 'The call failed', message: error.rawMessage, metadata: {} };
}

/** Advice by reason, where the message of the failure gives none. */
export const remedies: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Enter the key of your team under “API key”. It is kept only in this page.',
  RATE_LIMITED: 'Wait for the given time, then press Process.',
  OVERLOADED: 'Wait a second, then press Process.',
  PROCESSOR_UNAVAILABLE: 'Start image-processor, or wait until it is back, then press Process.',
  DRAINING: 'Wait two seconds, then press Process.',
  DEADLINE_EXCEEDED: 'Press Process again, or ask for a smaller image.',
  FORMAT_UNSUPPORTED: 'Choose a JPEG, PNG, WebP, AVIF, GIF, TIFF or BMP. SVG is not read.',
  IMAGE_CORRUPT: 'Save the image again in its program, or choose another.',
  ORIGIN_BUSY: 'Wait a little, then press Process, or save the image and choose the file here.',
  URL_ADDRESS_FORBIDDEN: 'Save the image and choose the file here.',
  INTERNAL: 'Press Process again. If that fails too, read the log of the service.',
};
