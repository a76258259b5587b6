import type { CommandTable } from './command-table.ts';
import {
  baseFlag,
  commonFlags,
  jsonFlag,
  outputFlag,
  passwordFlag,
  queueFlags,
  quietFlag,
  serviceFlags,
  verboseFlag,
} from './shared-flags.ts';

/** Many images by image-api or image-processor. */
export const job: CommandTable = {
  usage: ['job [flags] SOURCE… OUTPUT_FOLDER'],
  summary: 'many images: folders, globs, lists',
  about: [
    'Sends many images to image-api, or with --processor to image-processor, and writes the outputs into a folder. A SOURCE is an image, a folder (with all below it), a glob in quotes, a URL, or a list of paths and URLs: .txt (one a line), .csv, .tsv or .jsonl; "-" is a list on standard input.',
    'Run it again to continue: images that are done are not sent again. A job replaces only its own outputs, and never one of its sources, regardless of its name.',
  ],
  flags: {
    ...commonFlags,
    ...verboseFlag('print a line for each image'),
    ...quietFlag,
    ...outputFlag('FOLDER', 'the output folder, in place of the last argument', 'folders'),
    ...jsonFlag('print the counts as one JSON object on standard output; with --dry-run a line per image'),
    'dry-run': {
      type: 'boolean',
      short: 'n',
      group: 'common',
      help: 'print what would be done, refused and skipped, without doing it',
    },
    force: {
      type: 'boolean',
      group: 'response',
      help: "make all outputs again; replaces only this job's own outputs",
    },
    overwrite: {
      type: 'boolean',
      group: 'response',
      help: "replace files in the output folder that are not this job's; never a source of the job",
    },
    column: {
      type: 'string',
      group: 'lists',
      value: 'NAME',
      help: 'column of a csv or jsonl that contains URL or path (default url)',
    },
    'name-column': {
      type: 'string',
      group: 'lists',
      value: 'NAME',
      help: "column of a csv or jsonl that contains the output's name",
    },
    ...baseFlag('lists'),
    strict: { type: 'boolean', group: 'job', help: 'exit with 1 if a file of a folder or glob was skipped' },
    ...queueFlags('job', 32),
    ...passwordFlag,
    ...serviceFlags,
  },
  takesImageOptions: true,
  notes: [
    'Options of the images that you omit take the defaults of an image-api whose environment sets none: 1024 × 768 filled, bilinear, gray, in the source\'s format. A value with a leading minus needs "=".',
  ],
  examples: [
    ['image-client job --preset clip-vit-base-patch32 photos tensors', 'tensors of a folder'],
    ["image-client job --width 640 --height 480 'photos/**/*.png' small", 'the images that a glob matches'],
    [
      'image-client job --column image --name-column id list.csv out',
      'URLs of a table, outputs named by its ids',
    ],
    ['find photos -newer mark | image-client job - out', 'paths from another program'],
    [
      'image-client job --api images.example --key-file key.txt photos out',
      'an image-api that requires a key',
    ],
  ],
  exits: [
    'done',
    'someFailed',
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
    'IMAGE_DOCUMENT_PASSWORD',
    'IMAGE_PROCESSOR_URL',
    'NO_COLOR',
  ],
  positionals: 'files',
};
