import type { Settings } from '../form/settings.ts';
import type { CallContext, GivenFile } from './call-context.ts';
import { connectCall } from './connect.ts';
import { fetchCall } from './fetch.ts';
import { go } from './go.ts';
import { bufCurl, grpcurl } from './grpc.ts';
import { pythonClient } from './python.ts';
import { curl, imageClient } from './shell.ts';
import { curlSkew, fetchSkew, imageClientSkew, pythonSkew } from './skew.ts';

/** A way to write the call of some settings. */
export interface CallKind {
  /** The tab; kinds with the same tab are choices within it. */
  readonly tab: string;
  readonly name: string;
  /** Requirements and effect. */
  readonly note: string;
  /** Whether it calls image-processor directly. */
  readonly isDirect?: true;
  /** @throws Failure OPTION_INVALID as requestOf */
  readonly write: (settings: Settings, context: CallContext) => string;
  /** The call that compares another program's tensor. @throws Failure OPTION_INVALID as requestOf */
  readonly writeSkew?: (settings: Settings, context: CallContext, given: GivenFile) => string;
  /** Requirements and effect of that call. */
  readonly skewNote?: string;
}

const direct = 'Calls image-processor directly, by reflection, without proto files. Needs jq.';

/** The ways to write a call, in the order of their tabs. */
export const callKinds = [
  {
    tab: 'curl',
    name: 'curl',
    note: 'Writes the response to a file, or prints the problem.',
    write: curl,
    writeSkew: curlSkew,
    skewNote: 'Prints the report as JSON.',
  },
  {
    tab: 'Python',
    name: 'Python',
    note: 'With the package image-service-client. NumPy arrays; errors have a reason.',
    write: pythonClient,
    writeSkew: pythonSkew,
    skewNote: 'With the package image-service-client.',
  },
  {
    tab: 'JavaScript',
    name: 'JavaScript',
    note: 'With fetch, in Node or a browser.',
    write: fetchCall,
    writeSkew: fetchSkew,
    skewNote: 'With fetch, in Node. In a browser the files come from inputs.',
  },
  { tab: 'Go', name: 'Go', note: 'With only the standard library.', write: go },
  {
    tab: 'image-client',
    name: 'image-client',
    note: 'The command of the npm package. It reads the address from IMAGE_API_URL as well.',
    write: imageClient,
    writeSkew: imageClientSkew,
    skewNote: 'The command of the npm package. It ends with 1 if the tensors differ.',
  },
  { tab: 'gRPC', name: 'grpcurl', note: direct, isDirect: true, write: grpcurl },
  { tab: 'gRPC', name: 'buf curl', note: direct, isDirect: true, write: bufCurl },
  {
    tab: 'gRPC',
    name: 'Connect',
    note: 'TypeScript, with the generated code in gen/ and the packages @connectrpc/connect and connect-web.',
    write: connectCall,
  },
] as const satisfies readonly CallKind[];
