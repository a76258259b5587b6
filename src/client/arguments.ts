import { flagsOf, nearestCommand, tableOf } from './commands.ts';
import { readApi, readApiKey, readPassword } from './connection-flags.ts';
import { parseFlags, readImageOptions, readSeconds, textOf, usage } from './flags.ts';
import { endingsInWords, formatOfPath, formatsOfAmbiguous, hasUnknownEnding } from './output-format.ts';

/** The command line of one image. */
export interface SendArguments {
  /** A path, `-` for standard input, or a URL that the service downloads. */
  readonly source: { readonly path: string } | { readonly url: string };
  /** A path, or `-` for standard output. */
  readonly output: string;
  /** The image options by their names in the API's query. */
  readonly options: Readonly<Record<string, string>>;
  /** Whether an existing output is replaced. */
  readonly overwrite: boolean;
  readonly api: URL;
  readonly apiKey: string | undefined;
  /** Of an encrypted document. */
  readonly password: string | undefined;
  readonly timeoutMs: number;
  /** The output besides errors. */
  readonly print: 'nothing' | 'warnings' | 'details' | 'json';
}

/**
 * Reads the command line of one image.
 *
 * @throws ClientError of bad usage
 */
export function readArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): SendArguments {
  const { values, positionals } = parseFlags(argv, flagsOf(tableOf('send')));
  const { source, output } = readPaths(textOf(values, 'url'), textOf(values, 'output'), positionals);
  const { texts, values: given } = readImageOptions(values);
  if (typeof given.page === 'object') throw severalPages(texts.get('page') ?? '');
  if (!texts.has('format')) checkEnding(output);
  const format = texts.get('format') ?? formatOfPath(output);
  if (values.json === true && output === '-') {
    throw usage('--json and the image cannot both be on standard output; name a file as OUTPUT.');
  }
  return {
    source,
    output,
    options: { ...Object.fromEntries(texts), ...(format !== undefined && { format }) },
    overwrite: values.overwrite !== false,
    api: readApi(textOf(values, 'api'), environment.IMAGE_API_URL),
    apiKey: readApiKey(values, environment.IMAGE_API_KEY),
    password: readPassword(values, environment.IMAGE_DOCUMENT_PASSWORD),
    timeoutMs: readSeconds(values, 'timeout', 60),
    print: printOf(values),
  };
}

function severalPages(pages: string) {
  return usage(
    `--page is "${pages}", and OUTPUT is one file; "image-client job --page ${pages} INPUT FOLDER" writes a file for each page.`,
  );
}

function printOf({ json, quiet, verbose }: Readonly<Record<string, unknown>>): SendArguments['print'] {
  if (quiet === true && verbose === true) throw usage('--quiet and --verbose exclude each other.');
  if (json === true) return 'json';
  return quiet === true ? 'nothing' : verbose === true ? 'details' : 'warnings';
}

/** @throws ClientError for an output whose ending chooses no format */
function checkEnding(output: string): void {
  const formats = formatsOfAmbiguous(output);
  if (formats.length > 0) {
    throw usage(
      `"${output}" can be of ${formats.length} formats; give --format ${formats.join(' or --format ')}.`,
    );
  }
  if (!hasUnknownEnding(output)) return;
  throw usage(`"${output}" has an ending of no output format; use ${endingsInWords}, or give --format.`);
}

function readPaths(url: string | undefined, output: string | undefined, positionals: readonly string[]) {
  const expected = [...(url === undefined ? ['INPUT'] : []), ...(output === undefined ? ['OUTPUT'] : [])];
  if (positionals.length !== expected.length) throw wrongNumber(expected, url, output, positionals);
  const [path = '', last = ''] = url === undefined ? positionals : ['', ...positionals];
  return { source: url === undefined ? { path } : { url }, output: output ?? last };
}

function wrongNumber(
  expected: readonly string[],
  url: string | undefined,
  output: string | undefined,
  positionals: readonly string[],
) {
  const flags = [...(url === undefined ? [] : ['--url']), ...(output === undefined ? [] : ['--output'])];
  const beside = flags.length === 0 ? '' : ` with ${flags.join(' and ')}`;
  const needed =
    expected.length === 0
      ? `Nothing else is taken${beside}`
      : `${expected.join(' and ')} ${expected.length === 1 ? 'is' : 'are'} needed${beside}`;
  const given = positionals.length === 0 ? 'nothing' : positionals.map((each) => `"${each}"`).join(' ');
  const hint =
    nearestCommand(positionals[0]) ||
    (positionals.length > 2 ? 'for many images use "image-client job"; ' : '');
  return usage(`${needed}, got ${given.slice(0, 300)}; ${hint}see --help.`);
}
