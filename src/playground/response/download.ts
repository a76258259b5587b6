import type { ProcessResponse } from '../../../gen/image/v1/processor_pb.ts';
import type { Settings } from '../form/settings.ts';
import { byId } from '../page/element.ts';
import { blobOf } from '../source/source.ts';
import { downloadName } from './download-name.ts';

/** Offers a response as a file. @param source - the name of its image */
export function offerDownload(settings: Settings, source: string, response: ProcessResponse): void {
  const link = byId('download', HTMLAnchorElement);
  URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(blobOf(response));
  link.download = downloadName(settings, source, response.contentType);
  link.textContent = `Download ${link.download}`;
  link.hidden = false;
}
