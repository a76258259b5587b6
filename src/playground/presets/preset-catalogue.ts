import type { Preset } from '../../../gen/image/v1/processor_pb.ts';
import { callListPresets } from '../service/call.ts';

let loaded: Promise<readonly Preset[]> | undefined;

/** All presets of the service. They are requested once. @throws ConnectError */
export function loadCatalogue(): Promise<readonly Preset[]> {
  loaded ??= callListPresets(new AbortController().signal).catch((error: unknown) => {
    loaded = undefined;
    throw error;
  });
  return loaded;
}
