import { flagsOf, tableOf } from '../commands.ts';
import {
  parseFlags,
  readCount,
  readImageOptions,
  readProcessor,
  readSeconds,
  textOf,
  usage,
} from '../flags.ts';
import { isUrl, type ListOptions } from './lists/lists.ts';
import { type JobRequest, jobRequest } from './sending/process-request.ts';
import type { TransferLimits } from './sending/transfer.ts';

/** The command line of a job. */
export interface JobArguments {
  readonly sources: readonly string[];
  /** The output folder as it was given. */
  readonly output: string;
  readonly options: JobRequest;
  readonly list: ListOptions;
  readonly processor: URL;
  readonly limits: TransferLimits;
  readonly force: boolean;
  readonly overwrite: boolean;
  readonly strict: boolean;
  readonly dryRun: boolean;
  readonly quiet: boolean;
}

/**
 * Reads the command line of a job.
 *
 * @param argv - the arguments after `job`
 * @returns undefined for `--help`
 * @throws ClientError of bad usage
 */
export function readJobArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): JobArguments | undefined {
  const { values, positionals } = parseFlags(argv, flagsOf(tableOf('job')));
  if (values.help === true) return undefined;
  const sources = positionals.slice(0, -1);
  const output = positionals.at(-1);
  if (sources.length === 0 || output === undefined) {
    const given = positionals.length === 0 ? 'nothing' : `"${output}"`;
    throw usage(`SOURCE and OUTPUT_FOLDER are needed, got ${given}; see job --help.`);
  }
  if (output === '-' || isUrl(output)) {
    throw usage(`The last argument is the output folder, which "${output}" cannot be; see job --help.`);
  }
  return {
    sources,
    output,
    options: jobRequest(readImageOptions(values).values),
    list: {
      column: textOf(values, 'column') ?? 'url',
      nameColumn: textOf(values, 'name-column'),
      base: textOf(values, 'base'),
    },
    processor: readProcessor(textOf(values, 'processor'), environment.IMAGE_PROCESSOR_URL),
    limits: {
      inFlight: readCount(values, 'in-flight', 32, 1024),
      bytes: readCount(values, 'max-memory', 128, 65_536) * 1024 * 1024,
      tries: readCount(values, 'tries', 5, 100),
      patienceMs: readSeconds(values, 'patience', 60),
      perHost: readCount(values, 'per-host', 8, 1024),
      hostPatienceMs: readSeconds(values, 'host-patience', 300),
    },
    force: values.force === true,
    overwrite: values.overwrite === true,
    strict: values.strict === true,
    dryRun: values['dry-run'] === true,
    quiet: values.quiet === true,
  };
}
