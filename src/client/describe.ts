import type { exitCodes } from './client-error.ts';
import { flagsOf, tableOf } from './commands.ts';
import { readApi, readApiKey, readPassword } from './connection-flags.ts';
import { readInput } from './files.ts';
import { parseFlags, readImageOptions, readSeconds, textOf, usage } from './flags.ts';
import { describe } from './send.ts';

/** The command line of `describe`. */
interface DescribeArguments {
  readonly source: { readonly path: string } | { readonly url: string };
  /** By their names in the API's query. */
  readonly options: Readonly<Record<string, string>>;
  readonly api: URL;
  readonly apiKey: string | undefined;
  /** Of an encrypted document. */
  readonly password: string | undefined;
  readonly timeoutMs: number;
  /** Whether the JSON is one line. */
  readonly isOneLine: boolean;
}

/**
 * Reads the words after `describe`.
 *
 * @throws ClientError of bad usage
 */
export function readDescribeArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): DescribeArguments {
  const { values, positionals } = parseFlags(argv, flagsOf(tableOf('describe')));
  const url = textOf(values, 'url');
  const [path, ...others] = positionals;
  if ((path === undefined) === (url === undefined) || others.length > 0) {
    throw usage('One INPUT is needed, or --url; see image-client describe --help.');
  }
  return {
    source: url === undefined ? { path: path ?? '' } : { url },
    options: Object.fromEntries(readImageOptions(values).texts),
    api: readApi(textOf(values, 'api'), environment.IMAGE_API_URL),
    apiKey: readApiKey(values, environment.IMAGE_API_KEY),
    password: readPassword(values, environment.IMAGE_DOCUMENT_PASSWORD),
    timeoutMs: readSeconds(values, 'timeout', 60),
    isOneLine: values.json === true,
  };
}

/** Prints as JSON what image-api would respond to one image. @throws ClientError */
export async function runDescribe(
  { source, options, api, apiKey, password, timeoutMs, isOneLine }: DescribeArguments,
  print: (line: string) => void,
  signal: AbortSignal,
): Promise<keyof typeof exitCodes> {
  const image = 'path' in source ? await readInput(source.path, signal) : source;
  const description = await describe(api, image, options, timeoutMs, signal, apiKey, password);
  print(JSON.stringify(description, undefined, isOneLine ? 0 : 2));
  return 'done';
}
