import { flagsOf, tableOf } from './commands.ts';
import { parseFlags, readApi, readApiKey, readImageOptions, readSeconds, textOf, usage } from './flags.ts';
import { commandHelp, nearestCommand } from './help.ts';
import { endingsInWords, formatOfPath, hasUnknownEnding } from './output-format.ts';

/** The command line of one image. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'send';
      /** A path, `-` for standard input, or a URL that the service downloads. */
      readonly source: { readonly path: string } | { readonly url: string };
      /** A path, or `-` for standard output. */
      readonly output: string;
      /** The image options by their names in the API's query. */
      readonly options: Readonly<Record<string, string>>;
      readonly api: URL;
      readonly apiKey?: string;
      readonly timeoutMs: number;
      readonly verbose: boolean;
    };

/**
 * Reads the command line of one image.
 *
 * @param apiUrl - the environment's IMAGE_API_URL, which `--api` overrides
 * @param apiKey - the environment's IMAGE_API_KEY, which `--api-key` overrides
 * @throws ClientError of bad usage
 */
export function readArguments(
  argv: readonly string[],
  apiUrl: string | undefined,
  apiKey?: string | undefined,
): Command {
  const { values, positionals } = parseFlags(argv, flagsOf(tableOf('send')));
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  const { source, output } = readPaths(textOf(values, 'url'), positionals);
  const { texts } = readImageOptions(values);
  if (!texts.has('format') && hasUnknownEnding(output)) {
    throw usage(`"${output}" has an ending of no output format; use ${endingsInWords}, or give --format.`);
  }
  const format = texts.get('format') ?? formatOfPath(output);
  const key = readApiKey(textOf(values, 'api-key'), apiKey);
  return {
    kind: 'send',
    source,
    output,
    options: { ...Object.fromEntries(texts), ...(format !== undefined && { format }) },
    api: readApi(textOf(values, 'api'), apiUrl),
    ...(key === undefined ? {} : { apiKey: key }),
    timeoutMs: readSeconds(values, 'timeout', 60),
    verbose: values.verbose === true,
  };
}

function readPaths(url: string | undefined, positionals: readonly string[]) {
  const expected = url === undefined ? ['INPUT', 'OUTPUT'] : ['OUTPUT'];
  if (positionals.length !== expected.length) {
    throw usage(
      `${expected.join(' and ')} ${expected.length === 1 ? 'is' : 'are'} needed${url === undefined ? '' : ' with --url'}, ` +
        `got ${positionals.length === 0 ? 'nothing' : positionals.map((each) => `"${each}"`).join(' ')}; ` +
        `${nearestCommand(positionals[0])}see --help.`,
    );
  }
  const [first = '', second = ''] = positionals;
  return url === undefined ? { source: { path: first }, output: second } : { source: { url }, output: first };
}

/** The text of `--help`. */
export function helpText(): string {
  return commandHelp('send');
}
