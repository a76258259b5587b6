import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import {
  type GetPresetResponse,
  type Preset,
  ProcessorService,
  type ProcessRequest,
  type ProcessResponse,
  type SkewRequest,
  type SkewResponse,
} from '../../../gen/image/v1/processor_pb.ts';
import { origin } from './origin.ts';
import { type Progress, uploadingFetch } from './upload.ts';

/** @param onProgress - called while the request is sent and the response received */
function connect(onProgress: (progress: Progress) => void = () => {}) {
  const fetch = uploadingFetch(onProgress);
  const transport = createConnectTransport({ baseUrl: origin, useBinaryFormat: true, fetch });
  return createClient(ProcessorService, transport);
}

const client = connect();

let apiKey = '';

/** Keeps the API key in memory, for the calls of this page. */
export function useApiKey(key: string): void {
  apiKey = key;
}

/** One image through Connect. @throws ConnectError */
export function callProcess(
  request: ProcessRequest,
  signal: AbortSignal,
  onProgress?: (progress: Progress) => void,
): Promise<ProcessResponse> {
  return connect(onProgress).process(request, options(signal));
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
  onProgress: (progress: Progress) => void,
): Promise<readonly ProcessResponse[]> {
  const [only, another] = requests;
  if (only !== undefined && another === undefined) {
    return [await callProcess({ ...only, source }, signal, onProgress)];
  }
  const { variants } = await connect(onProgress).processVariants(
    { source, variants: [...requests] },
    options(signal),
  );
  return variants;
}

/** The cause of the difference between another program's tensor and the expected one. @throws ConnectError */
export function callSkew(
  request: SkewRequest,
  signal: AbortSignal,
  onProgress: (progress: Progress) => void,
): Promise<SkewResponse> {
  return connect(onProgress).skew(request, options(signal));
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
