import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { imageOptionNames, imageOptions } from '../image-options.ts';
import { ClientError, exitCodes } from './client-error.ts';
import { formatOfPath } from './output-format.ts';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'send';
      /** A path, or `-` for standard input; or a URL that the service downloads. */
      readonly source: { readonly path: string } | { readonly url: string };
      /** A path, or `-` for standard output. */
      readonly output: string;
      /** The image options by their names in the API's query. */
      readonly options: Readonly<Record<string, string>>;
      readonly api: URL;
      readonly timeoutMs: number;
      readonly verbose: boolean;
    };

/** The client's flags that are not image options. */
const ownFlags = {
  url: { type: 'string', value: 'URL', help: 'an image that the service downloads, in place of INPUT' },
  api: {
    type: 'string',
    value: 'URL',
    help: 'where image-api is (or IMAGE_API_URL; default http://localhost:8080)',
  },
  timeout: { type: 'string', value: 'SECONDS', help: 'longest wait for the answer (default 60)' },
  verbose: { type: 'boolean', help: 'print size, type, cache state and stage times to standard error' },
  help: { type: 'boolean', help: 'print this' },
  version: { type: 'boolean', help: 'print the version' },
} as const;

/** The image options as flags, made from their table. */
const imageFlags = imageOptionNames.map((name) => {
  const schema = imageOptions.shape[name].unwrap();
  return {
    name,
    flag: name.replaceAll('_', '-'),
    schema,
    // What text-schemas.ts's flag() alone does with a word.
    type: schema.safeParse('true').data === true ? ('boolean' as const) : ('string' as const),
    help: schema.description ?? '',
  };
});

const flags: ParseArgsOptionsConfig = {
  ...Object.fromEntries(Object.entries(ownFlags).map(([flag, { type }]) => [flag, { type }])),
  ...Object.fromEntries(imageFlags.map(({ flag, type }) => [flag, { type }])),
};

/**
 * Reads the command line.
 *
 * @param apiUrl - the environment's IMAGE_API_URL, which `--api` overrides
 * @throws ClientError of bad usage
 */
export function readArguments(argv: readonly string[], apiUrl: string | undefined): Command {
  const { values, positionals } = parseFlags(argv);
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  const { source, output } = readPaths(text(values.url), positionals);
  const options = readImageOptions(values);
  const format = options.format ?? formatOfPath(output);
  return {
    kind: 'send',
    source,
    output,
    options: format === undefined ? options : { ...options, format },
    api: readApi(text(values.api), apiUrl),
    timeoutMs: readTimeout(text(values.timeout)),
    verbose: values.verbose === true,
  };
}

type Values = ReturnType<typeof parseFlags>['values'];

function parseFlags(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: flags, allowPositionals: true, allowNegative: true });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    // "To specify a positional argument starting with a '-', …" is about what hardly anyone means.
    throw usage(`${error.message.replace(/\. To specify a positional.*|\.$/s, '')}; --help lists the flags.`);
  }
}

function readPaths(url: string | undefined, positionals: readonly string[]) {
  const expected = url === undefined ? ['INPUT', 'OUTPUT'] : ['OUTPUT'];
  if (positionals.length !== expected.length) {
    throw usage(
      `${expected.join(' and ')} ${expected.length === 1 ? 'is' : 'are'} needed${url === undefined ? '' : ' with --url'}, ` +
        `got ${positionals.length === 0 ? 'nothing' : positionals.map((each) => `"${each}"`).join(' ')}; see --help.`,
    );
  }
  const [first = '', second = ''] = positionals;
  return url === undefined ? { source: { path: first }, output: second } : { source: { url }, output: first };
}

/** Checked here already, so that a bad value is bad usage and costs no upload; what is sent is the text. */
function readImageOptions(values: Values): Record<string, string> {
  const options: Record<string, string> = {};
  for (const { name, flag, schema } of imageFlags) {
    const given = values[flag];
    if (given === undefined) continue;
    const value = String(given);
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      throw new ClientError(
        'usage',
        'OPTION_INVALID',
        `--${flag} is "${value}"; allowed: ${parsed.error.issues[0]?.message}.`,
      );
    }
    options[name] = value;
  }
  return options;
}

function readApi(flag: string | undefined, environment: string | undefined): URL {
  const given = flag ?? (environment || 'http://localhost:8080');
  const name = flag === undefined ? 'IMAGE_API_URL' : '--api';
  const api = URL.parse(given);
  if (api === null || !['http:', 'https:'].includes(api.protocol)) {
    throw usage(`${name} is "${given}"; allowed: an http or https URL, such as http://localhost:8080.`);
  }
  // fetch refuses such a URL; its value stays out of what is printed.
  if (api.username !== '' || api.password !== '') {
    throw usage(`${name} has a user name or password in it; image-api takes none.`);
  }
  return api;
}

function readTimeout(given = '60'): number {
  const seconds = /^\d{1,6}(\.\d{1,3})?$/.test(given) ? Number(given) : 0;
  if (seconds === 0) throw usage(`--timeout is "${given}"; allowed: seconds above 0, such as 60 or 0.5.`);
  return Math.round(seconds * 1000);
}

function text(value: Values[string]): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function usage(message: string): ClientError {
  return new ClientError('usage', 'USAGE', message);
}

/** The text of `--help`. */
export function helpText(): string {
  const rows = (lines: readonly (readonly [string, string])[]) => {
    const width = Math.max(...lines.map(([left]) => left.length));
    return lines.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
  };
  const ownRows = Object.entries(ownFlags).map(
    ([flag, row]) => [`--${flag}${'value' in row ? ` ${row.value}` : ''}`, row.help] as const,
  );
  const imageRows = imageFlags.map(({ flag, type, help, schema }) => {
    if (type === 'boolean') return [`--${flag}, --no-${flag}`, help] as const;
    // By the rule of text-schemas.ts, the message of a bad value is what is allowed.
    return [`--${flag} VALUE`, `${help} (${schema.safeParse('\0').error?.issues[0]?.message})`] as const;
  });
  const exitRows = Object.values(exitCodes).map(({ code, meaning }) => [String(code), meaning] as const);
  return `Usage: image-client [flags] INPUT OUTPUT
       image-client [flags] --url URL OUTPUT

Sends one image to image-api and writes the answer to OUTPUT, whole or not at all.
"-" as INPUT is standard input, as OUTPUT standard output ("npm run -s client" keeps npm's own lines out).

${rows(ownRows)}

What to make of the image; the service decides what is left out. Without --format it is OUTPUT's ending that
chooses: .jpg, .png, .webp, .npy or .safetensors. A value with a leading minus wants "=", as in --mean=-1.

${rows(imageRows)}

Exit codes; an error is one line on standard error, "image-client: REASON: detail":

${rows(exitRows)}
`;
}
