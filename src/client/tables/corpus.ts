import type { CommandTable } from './command-table.ts';
import { commonFlags, jsonFlag, queueFlags, quietFlag, serviceFlags } from './shared-flags.ts';

/** Images that a worker has in flight, by default. */
export const corpusInFlight = 32;

/** A list of URLs as a data set in shards. */
export const corpus: CommandTable = {
  usage: [
    'corpus plan [flags] LIST --out URL',
    'corpus work [flags] --out URL [--shard N]',
    'corpus verify [flags] --out URL',
  ],
  summary: 'a list of URLs as a data set in shards, by many workers',
  about: [
    'plan splits LIST into shards and stores them with the options as a manifest. work makes one shard: its samples are in the order of their keys and nothing in it depends on time or machine, so that every worker writes the same bytes. A shard is written whole or not at all, and once: work that finds it done ends at once. verify counts and hashes what is there.',
    'Run work for each shard with whatever starts processes: a Kubernetes Indexed Job, Ray, xargs -P. Killed workers need nothing but to be started again.',
  ],
  flags: {
    ...commonFlags,
    ...quietFlag,
    ...jsonFlag('print the result as one JSON object on standard output'),
    out: {
      type: 'string',
      short: 'o',
      group: 'corpus',
      value: 'URL',
      help: 'where the corpus is: a folder, a file:// URL, or s3://bucket/prefix',
      completes: 'folders',
    },
    job: {
      type: 'string',
      group: 'corpus',
      value: 'ID',
      help: 'the job that is expected there, or its first digits; another one is refused (of work and verify)',
    },
    'shard-format': {
      type: 'string',
      group: 'plan',
      value: 'FORMAT',
      help: 'what a shard is (default webdataset)',
      words: ['webdataset', 'parquet', 'safetensors', 'npy'],
    },
    'url-column': {
      type: 'string',
      group: 'plan',
      value: 'NAME',
      help: 'the column that contains the URL (default: by its name)',
    },
    'id-column': {
      type: 'string',
      group: 'plan',
      value: 'NAME',
      help: "the column that contains the sample's key (default: the row's number is the key)",
    },
    'page-column': {
      type: 'string',
      group: 'plan',
      value: 'NAME',
      help: "the column that contains the page of a document, from 1 (default: all rows have --page's, else the first)",
    },
    columns: {
      type: 'string',
      group: 'plan',
      value: 'NAMES',
      help: 'the columns that samples carry along, with commas between them (default: all others)',
    },
    deduplicate: {
      type: 'boolean',
      group: 'plan',
      help: 'store one of several images of a shard whose files have the same SHA-256',
    },
    'ignore-opt-outs': {
      type: 'boolean',
      group: 'plan',
      help: 'store images although their origins send X-Robots-Tag: noai or TDM-Reservation: 1',
    },
    'rows-per-shard': { type: 'string', group: 'plan', value: 'N', help: 'rows of a shard (default 1000)' },
    shard: {
      type: 'string',
      group: 'work',
      value: 'N',
      help: 'the shard to make, from 0, or several as FIRST-LAST (default JOB_COMPLETION_INDEX)',
    },
    spill: {
      type: 'string',
      group: 'work',
      value: 'FOLDER',
      help: "where a shard grows before it is written; needs twice a shard's bytes (default: the system's temporary folder)",
      completes: 'folders',
    },
    'row-timeout': {
      type: 'string',
      group: 'work',
      value: 'SECONDS',
      help: 'longest time of one try at a row (default 120)',
    },
    'retry-failed': {
      type: 'boolean',
      group: 'work',
      help: 'make a shard again if rows of it failed for a reason that can pass, and replace it',
    },
    ...queueFlags('work', corpusInFlight),
    'metrics-port': {
      type: 'string',
      group: 'work',
      value: 'PORT',
      help: 'serve Prometheus metrics at /metrics of this port (default: none)',
    },
    'max-failed': {
      type: 'string',
      group: 'verify',
      value: 'SHARE',
      help: 'exit with 1 if a larger share of the rows failed, from 0 to 1 (default 1)',
    },
    'counts-only': {
      type: 'boolean',
      group: 'verify',
      help: 'trust the SHA-256 that the store keeps, and read no shard',
    },
    duplicates: {
      type: 'boolean',
      group: 'verify',
      help: 'also count rows whose source another row has, in any shard',
    },
    ...serviceFlags,
  },
  takesImageOptions: true,
  notes: [
    "The image options are of plan; the other two read them from the manifest. Those that you omit take the defaults of an image-api whose environment sets none. A preset's tensors, or --format npy, make shards of tensors; every other format makes shards of images.",
  ],
  examples: [
    [
      'image-client corpus plan urls.parquet --out s3://bucket/clip --preset clip-vit-base-patch32',
      'tensors of a model',
    ],
    ['image-client corpus work --out s3://bucket/clip --shard 7 --processor processors:50051', 'one shard'],
    [
      "seq 0 99 | xargs -P 8 -I{} image-client corpus work --out /data/clip --shard '{}'",
      'all shards, eight at a time',
    ],
    ['image-client corpus work --out /data/clip --shard 0-9 --local', 'ten shards, without a service'],
    ['image-client corpus verify --out s3://bucket/clip --max-failed 0.1', 'is it complete?'],
  ],
  exits: [
    'done',
    'incomplete',
    'usage',
    'refused',
    'unavailable',
    'files',
    'diskFull',
    'mixed',
    'interrupted',
  ],
  environment: [
    'IMAGE_API_URL',
    'IMAGE_API_KEY',
    'IMAGE_PROCESSOR_URL',
    'JOB_COMPLETION_INDEX',
    'S3_ENDPOINT',
    'S3_FORCE_PATH_STYLE',
    'NO_COLOR',
  ],
  positionals: ['plan', 'work', 'verify'],
};
