import type { exitCodes } from './client-error.ts';
import { flagsOf, tableOf } from './commands.ts';
import { readApi, readApiKey } from './connection-flags.ts';
import { parseFlags, readSeconds, textOf, usage } from './flags.ts';
import { getJson } from './send.ts';

/** The command line of `presets`. */
interface PresetsArguments {
  /** Words of the presets that are listed. */
  readonly q: string;
  /** The preset that is described; undefined for the list. */
  readonly show: string | undefined;
  readonly output: 'table' | 'names' | 'json';
  readonly quiet: boolean;
  readonly api: URL;
  readonly apiKey: string | undefined;
  readonly timeoutMs: number;
}

/** Where presets are printed. */
interface PresetsConsole {
  print(line: string): void;
  say(line: string): void;
  readonly screen: { readonly isTTY?: boolean | undefined };
}

/** A preset as image-api lists it. */
interface Preset {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly family: string;
  readonly numerics: readonly string[];
  readonly outputs: readonly string[];
}

/**
 * Reads the words after `presets`.
 *
 * @throws ClientError of bad usage
 */
export function readPresetsArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): PresetsArguments {
  const { values, positionals } = parseFlags(argv, flagsOf(tableOf('presets')));
  const show = textOf(values, 'show');
  if (values.json === true && values.names === true) throw usage('--json and --names exclude each other.');
  if (show !== undefined && (positionals.length > 0 || values.names === true)) {
    throw usage('--show takes one name, and goes with --json only.');
  }
  return {
    q: positionals.join(' '),
    show,
    output: values.json === true ? 'json' : values.names === true ? 'names' : 'table',
    quiet: values.quiet === true,
    api: readApi(textOf(values, 'api'), environment.IMAGE_API_URL),
    apiKey: readApiKey(values, environment.IMAGE_API_KEY),
    timeoutMs: readSeconds(values, 'timeout', 10),
  };
}

/** Prints the presets of image-api, or one of them in detail. @throws ClientError */
export async function runPresets(
  { q, show, output, quiet, api, apiKey, timeoutMs }: PresetsArguments,
  { print, say, screen }: PresetsConsole,
  signal: AbortSignal,
): Promise<keyof typeof exitCodes> {
  const get = (path: string, query: Readonly<Record<string, string>>) =>
    getJson(path, query, api, timeoutMs, signal, apiKey);
  if (show !== undefined) {
    const preset = await get(`/v1/presets/${encodeURIComponent(show)}`, {});
    print(output === 'json' ? JSON.stringify(preset, undefined, 2) : detailsOf(preset as PresetDetails));
    return 'done';
  }
  const presets = await listPresets(q, get);
  if (output === 'json') print(JSON.stringify(presets, undefined, 2));
  else if (output === 'names') for (const { name, aliases } of presets) print([name, ...aliases].join('\n'));
  else if (presets.length > 0) print(tableOfPresets(presets));
  if (presets.length === 0 && !quiet) {
    say(`no preset has "${q}" in its name, an alias or its family; fewer words find more.`);
  } else if (output === 'table' && !quiet && screen.isTTY === true) {
    say(`${presets.length} presets; --show NAME prints what one does.`);
  }
  return 'done';
}

async function listPresets(
  q: string,
  get: (path: string, query: Readonly<Record<string, string>>) => Promise<unknown>,
): Promise<readonly Preset[]> {
  const presets: Preset[] = [];
  let cursor: string | undefined = '';
  while (cursor !== undefined) {
    const page = (await get('/v1/presets', { q, limit: '1000', cursor })) as {
      readonly presets: readonly Preset[];
      readonly next_cursor?: string;
    };
    presets.push(...page.presets);
    cursor = page.next_cursor;
  }
  return presets;
}

type PresetDetails = Preset & { readonly steps: readonly string[]; readonly python: string };

function detailsOf({ name, aliases, family, numerics, outputs, steps, python }: PresetDetails): string {
  return [
    `${name} (${family})`,
    ...(aliases.length === 0 ? [] : [`also: ${aliases.join(', ')}`]),
    `numerics: ${numerics.join(', ')}`,
    `outputs: ${outputs.join(', ')}`,
    '',
    ...steps.map((step, index) => `${index + 1}. ${step}`),
    '',
    python.trimEnd(),
  ].join('\n');
}

function tableOfPresets(presets: readonly Preset[]): string {
  const rows = [
    ['NAME', 'FAMILY', 'NUMERICS', 'OUTPUTS'],
    ...presets.map(({ name, family, numerics, outputs }) => [
      name,
      family,
      numerics.join(', '),
      outputs.join(', '),
    ]),
  ];
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
