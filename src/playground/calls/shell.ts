import type { Settings } from '../form/settings.ts';
import { type CallContext, keyVariable, outputName, passwordVariable } from './call-context.ts';
import { minimalOptions } from './minimal-options.ts';

/** The text as one word for a POSIX shell. */
export function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** Lines as one command of a POSIX shell. */
export function command(...lines: readonly string[]): string {
  return lines.join(' \\\n  ');
}

/** The call with curl. @throws Failure OPTION_INVALID */
export function curl(
  settings: Settings,
  { source, api, needsKey, isEncrypted, defaults, responseType }: CallContext,
): string {
  const secrets = secretHeaders({ needsKey, isEncrypted });
  const options = minimalOptions(settings, defaults);
  const parts =
    'url' in source
      ? [
          '-G',
          ...[['url', source.url] as const, ...options].map(
            ([name, value]) => `--data-urlencode ${shellQuoted(`${name}=${value}`)}`,
          ),
        ]
      : [
          `-F ${shellQuoted(`image=@${formFile(source.file)}`)}`,
          // Unlike -F it takes a value as it is, also with @, < or ; in it.
          ...options.map(([name, value]) => `--form-string ${shellQuoted(`${name}=${value}`)}`),
        ];
  const end = `${shellQuoted(`${api}/v1/images`)} -o ${outputName(settings, source, responseType)}`;
  return command('curl -sS --fail-with-body', ...secrets, ...parts, end);
}

/** The headers of curl with what must not be part of a call: the shell reads it from the environment. */
export function secretHeaders({
  needsKey,
  isEncrypted,
}: Pick<CallContext, 'needsKey' | 'isEncrypted'>): string[] {
  return [
    ...(needsKey ? [`-H "Authorization: Bearer $${keyVariable}"`] : []),
    ...(isEncrypted ? [`-H "X-Document-Password: $${passwordVariable}"`] : []),
  ];
}

/** A file's name for curl's -F, which gives commas and semicolons a meaning, and reads - from standard input. */
export function formFile(name: string): string {
  const path = fileArgument(name);
  return /[;,"\\]/.test(path) ? `"${path.replace(/["\\]/g, '\\$&')}"` : path;
}

/** A file's name as an argument that no program takes for a flag. */
export function fileArgument(name: string): string {
  return name.startsWith('-') ? `./${name}` : name;
}

/** The endings of an output from which image-client knows the format. */
const knownEndings = /\.(jpe?g|png|webp|npy|npz|safetensors)$/;

/** The call with image-client, which takes the API key from the environment. @throws Failure OPTION_INVALID */
export function imageClient(
  settings: Settings,
  { source, api, defaults, responseType }: CallContext,
): string {
  const input = 'url' in source ? `--url ${shellQuoted(source.url)}` : shellQuoted(fileArgument(source.file));
  const output = outputName(settings, source, responseType);
  const flags = minimalOptions(settings, defaults)
    .filter(([name]) => name !== 'format' || !knownEndings.test(output))
    .map(([name, value]) => flag(name, value));
  const address = api === 'http://localhost:8080' ? [] : [`--api ${shellQuoted(api)}`];
  return command(`image-client ${input} ${output}`, ...address, ...flags);
}

/** An option as a flag of image-client. @param name - with underscores or hyphens */
export function flag(option: string, value: string): string {
  const name = option.replaceAll('_', '-');
  if (value === 'true') return `--${name}`;
  if (value === 'false') return `--no-${name}`;
  // A value with a leading minus would be a flag of its own.
  return `--${name}${value.startsWith('-') ? '=' : ' '}${shellQuoted(value)}`;
}
