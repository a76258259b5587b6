import { create } from '@bufbuild/protobuf';
import { type ProcessRequest, SourceOptionsSchema } from '../../../gen/image/v1/processor_pb.ts';

/*
 * The password of an encrypted document. A source has it in this page's memory: it is no setting, so neither the page's
 * address nor a call to copy contains it.
 */

/** A request with the password of its document. @param password - undefined or empty for none */
export function withPassword(request: ProcessRequest, password: string | undefined): ProcessRequest {
  if (password === undefined || password === '') return request;
  const others = request.sourceOptions ?? create(SourceOptionsSchema);
  return { ...request, sourceOptions: { ...others, password } };
}
