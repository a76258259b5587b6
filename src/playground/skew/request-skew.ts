import { create } from '@bufbuild/protobuf';
import {
  type SkewRequest,
  SkewRequestSchema,
  type SkewResponse,
  TensorContainer,
} from '../../../gen/image/v1/processor_pb.ts';
import { requestOf } from '../form/request.ts';
import { asTensor, type Settings } from '../form/settings.ts';
import { callSkew } from '../service/call.ts';
import type { CallEvents } from '../service/call-events.ts';
import { withRetries } from '../service/retries.ts';
import { withPassword } from '../source/password.ts';
import type { ImageSource } from '../source/source.ts';
import type { Given } from './given.ts';

/** The form of raw values. */
export interface RawForm {
  readonly shape: readonly number[];
  readonly datatype: string;
}

/**
 * Asks the service what made the given tensor.
 *
 * @param raw - undefined for a file that states its own form
 * @throws ConnectError, and Failure OPTION_INVALID
 */
export async function requestSkew(
  given: Given,
  raw: RawForm | undefined,
  settings: Settings,
  source: ImageSource,
  { onProgress, onPause }: CallEvents,
  signal: AbortSignal,
): Promise<SkewResponse> {
  const request = withPassword(requestOf(asTensor(settings)), source.password);
  if (request.output.case === 'tensor') request.output.value.container = TensorContainer.AUTO;
  request.source = await source.message();
  const message = create(SkewRequestSchema, { request, given: await fileOf(given, raw), map: true });
  return withRetries(() => callSkew(message, signal, onProgress), signal, onPause);
}

async function fileOf({ file, kind }: Given, raw: RawForm | undefined): Promise<SkewRequest['given']> {
  const content = new Uint8Array(await file.arrayBuffer());
  if (kind === 'picture') return { case: 'picture', value: content };
  const form =
    raw === undefined
      ? {}
      : { container: TensorContainer.RAW, shape: raw.shape.map(BigInt), datatype: raw.datatype };
  return create(SkewRequestSchema, { given: { case: 'tensor', value: { content, ...form } } }).given;
}
