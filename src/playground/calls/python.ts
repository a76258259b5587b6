import { imageOptions, isOptionName } from '../../options/image-options.ts';
import type { Settings } from '../form/settings.ts';
import { type CallContext, literal, outputName, passwordVariable } from './call-context.ts';
import { minimalOptions } from './minimal-options.ts';

/** The call with the Python client, which takes the API key from the environment. @throws Failure OPTION_INVALID */
export function pythonClient(
  settings: Settings,
  { source, api, isEncrypted, defaults, responseType }: CallContext,
): string {
  const isTensor = settings.output === 'tensor';
  const options = minimalOptions(settings, defaults)
    // The client chooses the container and reads it.
    .filter(([name]) => !(isTensor && name === 'format'))
    .map(([name, text]) => `${name}=${pythonValue(name, text)}`);
  const given = [
    literal('url' in source ? source.url : source.file),
    ...passwordArgument(isEncrypted),
    ...options,
  ];
  const file = outputName(settings, source, responseType);
  const [call, ...end] = isTensor
    ? tensorLines(settings.container === 'auto' && file.endsWith('.safetensors'))
    : ['output = client.image', `output.save(${literal(file)})`, 'print(output.content_type)'];
  return [
    ...(isEncrypted ? ['import os', ''] : []),
    'from image_service_client import Client',
    '',
    `client = Client(${literal(api)})`,
    ...written(call, given),
    ...end,
  ].join('\n');
}

/** The password of an encrypted document, from the environment. */
export function passwordArgument(isEncrypted: boolean | undefined): string[] {
  return isEncrypted ? [`password=os.environ["${passwordVariable}"]`] : [];
}

/** The call and what follows it. @param isSeveral - the container that image-api chooses has several tensors */
function tensorLines(isSeveral: boolean): readonly [call: string, ...end: string[]] {
  if (!isSeveral) return ['tensor = client.tensor', 'print(tensor.shape, tensor.dtype)'];
  return [
    'tensors = client.tensors',
    'for name, tensor in tensors.items():',
    '    print(name, tensor.shape)',
  ];
}

/** A call of a function, in one line if that is short. */
export function written(name: string, given: readonly string[]): string[] {
  const line = `${name}(${given.join(', ')})`;
  return line.length <= 88 ? [line] : [`${name}(`, ...given.map((each) => `    ${each},`), ')'];
}

/** A value of an option as a literal of Python. */
export function pythonValue(name: string, text: string): string {
  const value: unknown = isOptionName(name) ? imageOptions[name].kind.parse(text) : text;
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return value.length === 1 ? String(value[0]) : `[${value.join(', ')}]`;
  return literal(text);
}
