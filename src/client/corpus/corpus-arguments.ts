import { tmpdir } from 'node:os';
import type { ImageOptions } from '../../options/image-options.ts';
import { flagsOf, tableOf } from '../commands.ts';
import { type CalledService, readService } from '../connection-flags.ts';
import {
  parseFlags,
  readCount,
  readImageOptions,
  readSeconds,
  readShare,
  textOf,
  usage,
  type Values,
} from '../flags.ts';
import { readQueueLimits } from '../job/job-arguments.ts';
import type { QueueLimits } from '../job/sending/queue-entry.ts';
import { corpusInFlight } from '../tables/corpus.ts';
import { type ShardFormatName, shardFormatNames } from './manifest.ts';

type Environment = Readonly<Record<string, string | undefined>>;

interface Basics {
  /** Where the corpus is. */
  readonly out: string;
  readonly environment: Environment;
  /** How long a service or a store may be away, in milliseconds. */
  readonly patienceMs: number;
  readonly quiet: boolean;
  readonly json: boolean;
}

export interface PlanArguments extends Basics {
  readonly list: string;
  /** The columns of URLs, ids and pages, where they are named. */
  readonly urlColumn: string | undefined;
  readonly idColumn: string | undefined;
  readonly pageColumn: string | undefined;
  /** The columns to carry along; undefined for all. */
  readonly columns: readonly string[] | undefined;
  readonly format: ShardFormatName;
  readonly rowsPerShard: number;
  readonly options: ImageOptions;
  /** Whether images are stored although their origins opt out of machine learning. */
  readonly ignoresOptOuts: boolean;
  /** Whether a shard stores one of several images with the same bytes. */
  readonly deduplicates: boolean;
  readonly service: CalledService;
}

export interface WorkArguments extends Basics {
  /** The first and the last shard. */
  readonly shards: readonly [first: number, last: number];
  readonly job: string | undefined;
  /** The folder of files that grow. */
  readonly spill: string;
  readonly retryFailed: boolean;
  /** The port of Prometheus metrics. */
  readonly metricsPort: number | undefined;
  readonly service: CalledService;
  readonly limits: QueueLimits;
}

export interface VerifyArguments extends Basics {
  readonly job: string | undefined;
  /** The largest share of rows that may have failed. */
  readonly maxFailed: number;
  readonly countsOnly: boolean;
  readonly findsDuplicates: boolean;
}

/** The command line of a corpus. */
export type CorpusArguments =
  | ({ readonly verb: 'plan' } & PlanArguments)
  | ({ readonly verb: 'work' } & WorkArguments)
  | ({ readonly verb: 'verify' } & VerifyArguments);

/**
 * Reads the words after `corpus`.
 *
 * @throws ClientError of bad usage
 */
export function readCorpusArguments(argv: readonly string[], environment: Environment): CorpusArguments {
  const table = tableOf('corpus');
  const { values, positionals } = parseFlags(argv, flagsOf(table));
  const [verb, ...rest] = positionals;
  const out = textOf(values, 'out');
  if (verb !== 'plan' && verb !== 'work' && verb !== 'verify') {
    throw usage(
      `plan, work or verify is needed, got ${verb === undefined ? 'nothing' : `"${verb}"`}; see corpus --help.`,
    );
  }
  if (out === undefined || out === '')
    throw usage(`corpus ${verb} needs --out, where the corpus is; see corpus --help.`);
  checkFlags(verb, values);
  const basics: Basics = {
    out,
    environment,
    patienceMs: readSeconds(values, 'patience', 60),
    quiet: values.quiet === true,
    json: values.json === true,
  };
  if (verb === 'plan') return { verb, ...basics, ...readPlan(values, rest, environment) };
  if (rest.length > 0) throw usage(`corpus ${verb} takes no "${rest[0]}"; see corpus --help.`);
  const job = readJob(values);
  if (verb === 'work') return { verb, ...basics, job, ...readWork(values, environment) };
  const maxFailed = readShare(values, 'max-failed') ?? 1;
  return {
    verb,
    ...basics,
    job,
    maxFailed,
    countsOnly: values['counts-only'] === true,
    findsDuplicates: values.duplicates === true,
  };
}

/** @throws ClientError for a flag of another verb */
function checkFlags(verb: 'plan' | 'work' | 'verify', values: Values): void {
  const flags = flagsOf(tableOf('corpus'));
  const foreign = Object.keys(values).find((name) => {
    const group = flags[name]?.group;
    if (name === 'job') return verb === 'plan';
    if (name === 'patience') return false;
    if (group === 'connection') return verb === 'verify';
    return group !== undefined && group !== 'common' && group !== 'corpus' && verbOf(group) !== verb;
  });
  if (foreign !== undefined) throw usage(`--${foreign} is not a flag of corpus ${verb}; see corpus --help.`);
}

/** The verb that a group of flags belongs to: those of images belong to plan. */
function verbOf(group: string): string {
  return group === 'work' || group === 'verify' ? group : 'plan';
}

function readPlan(values: Values, rest: readonly string[], environment: Environment) {
  const [list, ...more] = rest;
  if (list === undefined || more.length > 0) {
    const given = list === undefined ? 'nothing' : rest.map((each) => `"${each}"`).join(' ');
    throw usage(`corpus plan needs one LIST, got ${given}; see corpus --help.`);
  }
  const given = textOf(values, 'shard-format') ?? 'webdataset';
  const format = shardFormatNames.find((name) => name === given);
  if (format === undefined) {
    throw usage(`--shard-format is "${given}"; allowed: ${shardFormatNames.join(', ')}.`);
  }
  return {
    list,
    urlColumn: textOf(values, 'url-column'),
    idColumn: textOf(values, 'id-column'),
    pageColumn: textOf(values, 'page-column'),
    columns: textOf(values, 'columns')
      ?.split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
    format,
    rowsPerShard: readCount(values, 'rows-per-shard', 1000, 1_000_000),
    options: readImageOptions(values).values,
    ignoresOptOuts: values['ignore-opt-outs'] === true,
    deduplicates: values.deduplicate === true,
    service: readService(values, environment),
  };
}

function readWork(values: Values, environment: Environment) {
  return {
    shards: readShards(textOf(values, 'shard'), environment.JOB_COMPLETION_INDEX),
    spill: textOf(values, 'spill') ?? tmpdir(),
    retryFailed: values['retry-failed'] === true,
    metricsPort:
      values['metrics-port'] === undefined ? undefined : readCount(values, 'metrics-port', 9465, 65_535),
    service: readService(values, environment),
    limits: { ...readQueueLimits(values, corpusInFlight), tryMs: readSeconds(values, 'row-timeout', 120) },
  };
}

function readShards(flag: string | undefined, index: string | undefined): [number, number] {
  const [name, given] = flag === undefined ? ['JOB_COMPLETION_INDEX', index || undefined] : ['--shard', flag];
  if (given === undefined)
    throw usage('corpus work needs --shard, or JOB_COMPLETION_INDEX in the environment.');
  const [, first, last = first] = /^(\d{1,7})(?:-(\d{1,7}))?$/.exec(given) ?? [];
  if (first === undefined || Number(last) < Number(first)) {
    throw usage(`${name} is "${given}"; allowed: the number of a shard, from 0, or FIRST-LAST.`);
  }
  return [Number(first), Number(last)];
}

function readJob(values: Values): string | undefined {
  const job = textOf(values, 'job');
  if (job === undefined || /^[0-9a-f]{4,64}$/.test(job)) return job;
  throw usage(`--job is "${job}"; allowed: the id of a job in hex, or at least 4 of its first digits.`);
}
