import { flagsOf, tableOf } from '../commands.ts';
import { type CalledService, readPassword, readService } from '../connection-flags.ts';
import {
  parseFlags,
  readCount,
  readImageOptions,
  readSeconds,
  textOf,
  usage,
  type Values,
} from '../flags.ts';
import { isUrl, type ListOptions } from './lists/lists.ts';
import { type JobRequest, jobRequest } from './sending/process-request.ts';
import type { QueueLimits } from './sending/queue-entry.ts';

/** The command line of a job. */
export interface JobArguments {
  readonly sources: readonly string[];
  /** The output folder as it was given. */
  readonly output: string;
  readonly options: JobRequest;
  readonly list: ListOptions;
  readonly service: CalledService;
  /** Of encrypted documents. */
  readonly password: string | undefined;
  readonly limits: QueueLimits;
  readonly force: boolean;
  readonly overwrite: boolean;
  readonly strict: boolean;
  readonly dryRun: boolean;
  readonly quiet: boolean;
  /** Whether a line is printed for each image. */
  readonly verbose: boolean;
  /** Whether the result is printed as JSON. */
  readonly json: boolean;
}

/**
 * Reads the command line of a job.
 *
 * @param argv - the arguments after `job`
 * @throws ClientError of bad usage
 */
export function readJobArguments(
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): JobArguments {
  const { values, positionals } = parseFlags(argv, flagsOf(tableOf('job')));
  const flag = textOf(values, 'output');
  const sources = flag === undefined ? positionals.slice(0, -1) : positionals;
  const output = flag ?? positionals.at(-1);
  if (sources.length === 0 || output === undefined) {
    const given = positionals.length === 0 ? 'nothing' : `"${output}"`;
    throw usage(`SOURCE and OUTPUT_FOLDER are needed, got ${given}; see job --help.`);
  }
  if (output === '-' || isUrl(output)) {
    throw usage(
      `The ${flag === undefined ? 'last argument' : 'value of --output'} is the output folder, which "${output}" cannot be; see job --help.`,
    );
  }
  if (values.quiet === true && values.verbose === true) {
    throw usage('--quiet and --verbose exclude each other.');
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
    service: readService(values, environment),
    password: readPassword(values, environment.IMAGE_DOCUMENT_PASSWORD),
    limits: readQueueLimits(values, 32),
    force: values.force === true,
    overwrite: values.overwrite === true,
    strict: values.strict === true,
    dryRun: values['dry-run'] === true,
    quiet: values.quiet === true,
    verbose: values.verbose === true,
    json: values.json === true,
  };
}

/**
 * The limits of what is in flight, by the flags of `queueFlags`.
 *
 * @param inFlight - by default
 * @throws ClientError of bad usage
 */
export function readQueueLimits(values: Values, inFlight: number): QueueLimits {
  return {
    inFlight: readCount(values, 'in-flight', inFlight, 1024),
    bytes: readCount(values, 'max-memory', 128, 65_536) * 1024 * 1024,
    tries: readCount(values, 'tries', 5, 100),
    patienceMs: readSeconds(values, 'patience', 60),
    perHost: readCount(values, 'per-host', 8, 1024),
    hostPatienceMs: readSeconds(values, 'host-patience', 300),
  };
}
