import { toJson } from '@bufbuild/protobuf';
import { ProcessRequestSchema } from '../../../gen/image/v1/processor_pb.ts';
import type { Settings } from '../form/settings.ts';
import { type CallContext, outputName, passwordVariable } from './call-context.ts';
import { minimalRequest } from './minimal-options.ts';
import { shellQuoted } from './shell.ts';

const method = 'image.v1.ProcessorService/Process';
const defaultMaxMessageBytes = 4 * 1024 * 1024;
/** Bytes of a response besides its content, at most. */
const messageOverheadBytes = 65_536;

/** The call with grpcurl. @throws Failure OPTION_INVALID */
export function grpcurl(settings: Settings, context: CallContext): string {
  const { processor, responseBytes = 0 } = context;
  const bytes = responseBytes + messageOverheadBytes;
  const limit = bytes > defaultMaxMessageBytes ? ` -max-msg-sz ${2 ** Math.ceil(Math.log2(bytes))}` : '';
  return piped(settings, context, `grpcurl -plaintext${limit} -d @ ${shellQuoted(processor)} ${method}`);
}

/** The call with buf curl. @throws Failure OPTION_INVALID */
export function bufCurl(settings: Settings, context: CallContext): string {
  const url = shellQuoted(`http://${context.processor}/${method}`);
  return piped(settings, context, `buf curl --protocol grpc --http2-prior-knowledge -d @- ${url}`);
}

/** The message as JSON on a program's standard input, and the content from its output. */
function piped(
  settings: Settings,
  { source, isEncrypted, responseType }: CallContext,
  program: string,
): string {
  const message = toJson(ProcessRequestSchema, minimalRequest(settings)) as Record<string, unknown>;
  const secret = isEncrypted ? `jq -c '.sourceOptions.password = env.${passwordVariable}' |\n  ` : '';
  const call = `${secret}${program}`;
  const output = `jq -r .content | base64 -d > ${outputName(settings, source, responseType)}`;
  if ('url' in source) {
    const json = JSON.stringify({ url: source.url, ...message });
    return `printf '%s' ${shellQuoted(json)} |\n  ${call} |\n  ${output}`;
  }
  const rest = JSON.stringify(message).slice(1);
  const end = rest === '}' ? '"}' : `",${rest}`;
  return [
    `{ printf '{"content":"'; base64 < ${shellQuoted(source.file)} | tr -d '\\n'; printf '%s' ${shellQuoted(end)}; } |`,
    `  ${call} |`,
    `  ${output}`,
  ].join('\n');
}
