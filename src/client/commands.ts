import type { exitCodes } from './client-error.ts';
import { type Flags, imageFlags } from './flags.ts';

/** A command: its table is the source of parsing, `--help` and completion. */
export interface CommandTable {
  /** The lines after "Usage: image-client". */
  readonly usage: readonly string[];
  /** One phrase for the list of commands. */
  readonly summary: string;
  /** The description in `--help`. */
  readonly about: string;
  readonly flags: Flags;
  /** Whether the command also has the image options as flags. */
  readonly takesImageOptions: boolean;
  /** Shell lines, each with its description. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  readonly exits: readonly (keyof typeof exitCodes)[];
  /** The words that completion offers for arguments that are not flags. */
  readonly positionals: 'files' | 'presets' | readonly string[];
}

const help: Flags = { help: { type: 'boolean', help: 'print this' } };

const apiFlags: Flags = {
  api: {
    type: 'string',
    value: 'URL',
    help: 'address of image-api (or IMAGE_API_URL; default http://localhost:8080)',
  },
  'api-key': {
    type: 'string',
    value: 'KEY',
    help: 'sent as Authorization: Bearer (prefer IMAGE_API_KEY, which process lists do not show)',
  },
};

const processorFlags: Flags = {
  processor: {
    type: 'string',
    value: 'URL',
    help: 'address of image-processor (or IMAGE_PROCESSOR_URL; default http://localhost:50051)',
  },
};

/** Sends one image to image-api. The client does this when its first word is not a command. */
const send: CommandTable = {
  usage: ['[flags] INPUT OUTPUT', '[flags] --url URL OUTPUT', 'COMMAND --help'],
  summary: 'sends one image',
  about: `Sends one image to image-api and writes the response to OUTPUT, whole or not at all; never over INPUT itself.
"-" as INPUT is standard input, as OUTPUT standard output ("npm run -s client" keeps npm's own lines out).`,
  flags: {
    url: { type: 'string', value: 'URL', help: 'an image that the service downloads, in place of INPUT' },
    ...apiFlags,
    timeout: { type: 'string', value: 'SECONDS', help: 'longest wait for the response (default 60)' },
    verbose: { type: 'boolean', help: 'print size, type, cache state and stage times to standard error' },
    ...help,
    version: { type: 'boolean', help: 'print the version' },
  },
  takesImageOptions: true,
  examples: [
    ['image-client photo.jpg gray.jpg', "one image, with the service's defaults"],
    ['image-client --width 224 --height 224 photo.jpg tensor.npy', 'a tensor, by the ending'],
    ['cat photo.jpg | image-client - - > gray.jpg', 'in a pipe'],
  ],
  exits: ['done', 'unexpected', 'usage', 'refused', 'unavailable', 'files', 'diskFull', 'interrupted'],
  positionals: 'files',
};

/** Many images by image-processor. */
const job: CommandTable = {
  usage: ['job [flags] SOURCE… OUTPUT_FOLDER'],
  summary: 'many images: folders, globs, lists',
  about: `Sends many images to image-processor over one gRPC stream and writes the outputs into a folder. A SOURCE is
an image, a folder (with all below it), a glob in quotes, a URL, or a list of paths and URLs: .txt (one a line),
.csv, .tsv or .jsonl; "-" is a list on standard input. Run it again to continue: images that are done
are not sent again. A job replaces only its own outputs, and never one of its sources, regardless of its name.`,
  flags: {
    ...processorFlags,
    column: {
      type: 'string',
      value: 'NAME',
      help: 'column of a csv or jsonl that contains URL or path (default url)',
    },
    'name-column': {
      type: 'string',
      value: 'NAME',
      help: "column of a csv or jsonl that contains the output's name",
    },
    base: {
      type: 'string',
      value: 'FOLDER',
      help: "paths in lists start here and stay inside it (default: the list's folder)",
      completes: 'folders',
    },
    'in-flight': { type: 'string', value: 'N', help: 'images at once (default 32)' },
    'max-memory': { type: 'string', value: 'MIB', help: 'bytes of images at once, in MiB (default 128)' },
    tries: {
      type: 'string',
      value: 'N',
      help: 'how often an image is sent while the connection is lost or the processor is full (default 5)',
    },
    patience: {
      type: 'string',
      value: 'SECONDS',
      help: 'longest wait for a processor that is unreachable or silent (default 60)',
    },
    'per-host': { type: 'string', value: 'N', help: 'URLs of one host in flight at once (default 8)' },
    'host-patience': {
      type: 'string',
      value: 'SECONDS',
      help: 'longest wait for a host that asks to retry later and sends no image (default 300)',
    },
    force: { type: 'boolean', help: "make all outputs again; replaces only this job's own outputs" },
    overwrite: {
      type: 'boolean',
      help: "replace files in the output folder that are not this job's; never a source of the job",
    },
    strict: { type: 'boolean', help: 'exit with 1 if a file of a folder or glob was skipped' },
    'dry-run': { type: 'boolean', help: 'print what would be done, refused and skipped, without doing it' },
    quiet: { type: 'boolean', help: 'print only errors' },
    ...help,
  },
  takesImageOptions: true,
  examples: [
    ['image-client job --preset clip-vit-base-patch32 photos tensors', 'tensors of a folder'],
    ["image-client job --width 640 --height 480 'photos/**/*.png' small", 'the images that a glob matches'],
    [
      'image-client job --column image --name-column id list.csv out',
      'URLs of a table, outputs named by its ids',
    ],
    ['find photos -newer mark | image-client job - out', 'paths from another program'],
  ],
  exits: ['done', 'someFailed', 'usage', 'unavailable', 'files', 'diskFull', 'mixed', 'interrupted'],
  positionals: 'files',
};

/** Describes the response to one image. */
const describe: CommandTable = {
  usage: ['describe [flags] INPUT', 'describe [flags] --url URL'],
  summary: 'prints what one image would give',
  about: `Prints as JSON what image-api would respond to one image, without decoding it: the source's format and size, the
outputs, the decisions and the key. "-" as INPUT is standard input.`,
  flags: {
    url: { type: 'string', value: 'URL', help: 'an image that the service downloads, in place of INPUT' },
    ...apiFlags,
    timeout: { type: 'string', value: 'SECONDS', help: 'longest wait for the response (default 60)' },
    ...help,
  },
  takesImageOptions: true,
  examples: [
    ['image-client describe --preset clip-vit-base-patch32 photo.jpg', "a model's input"],
    ['image-client describe --width 640 photo.jpg', 'the size of an image'],
  ],
  exits: ['done', 'unexpected', 'usage', 'refused', 'unavailable', 'files', 'interrupted'],
  positionals: 'files',
};

/** Lists the presets of image-api. */
const presets: CommandTable = {
  usage: ['presets [flags] [TEXT…]', 'presets --show NAME'],
  summary: "lists the models' presets",
  about: `Lists the presets of image-api, those of its PRESETS_DIR included. Each TEXT occurs in the name, an alias or the
family of the presets that are listed.`,
  flags: {
    show: {
      type: 'string',
      value: 'NAME',
      help: 'print what one preset does, and the Python that makes the same tensors',
      completes: 'presets',
    },
    json: { type: 'boolean', help: 'print JSON' },
    names: { type: 'boolean', help: 'print only names and aliases, one a line' },
    ...apiFlags,
    timeout: { type: 'string', value: 'SECONDS', help: 'longest wait for each response (default 10)' },
    ...help,
  },
  takesImageOptions: false,
  examples: [
    ['image-client presets siglip', 'the presets with a word in their names'],
    ['image-client presets --show openai/clip-vit-base-patch32', 'what a preset does'],
    ['image-client presets --json torchvision', 'output for a program'],
  ],
  exits: ['done', 'unexpected', 'usage', 'refused', 'unavailable', 'interrupted'],
  positionals: 'presets',
};

/** Finds out why the services cannot be used from here. */
const doctor: CommandTable = {
  usage: ['doctor [flags]'],
  summary: 'reports what is reachable, versions and limits',
  about: `Sends one pixel each to image-api and image-processor, and reports what is wrong and what to do next.`,
  flags: {
    ...apiFlags,
    ...processorFlags,
    timeout: { type: 'string', value: 'SECONDS', help: 'longest wait for each response (default 5)' },
    json: { type: 'boolean', help: 'print one JSON object' },
    ...help,
  },
  takesImageOptions: false,
  examples: [
    ['image-client doctor', 'the services on this machine'],
    ['image-client doctor --json --processor images.example:50051', 'output for a program'],
  ],
  exits: ['done', 'somethingWrong', 'usage', 'interrupted'],
  positionals: [],
};

/** The shells that completion supports. */
export const shells = ['bash', 'zsh', 'fish'] as const;

const completion: CommandTable = {
  usage: [`completion ${shells.join('|')}`],
  summary: 'prints a completion script',
  about: 'Prints a script that completes commands, flags and their values in a shell.',
  flags: help,
  takesImageOptions: false,
  examples: [
    ['source <(image-client completion bash)', 'in ~/.bashrc'],
    ['source <(image-client completion zsh)', 'in ~/.zshrc, after compinit'],
    ['image-client completion fish | source', 'in config.fish'],
  ],
  exits: ['done', 'usage'],
  positionals: shells,
};

/** The commands by their names. */
export const commands = { job, describe, presets, doctor, completion } as const;

export type CommandName = keyof typeof commands;

/** Whether the first word of a command line is a command. A file of that name is given as `./job`. */
export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(commands, word);
}

/** The table of a command; `send` is the one without a name. */
export function tableOf(name: CommandName | 'send'): CommandTable {
  return name === 'send' ? send : commands[name];
}

/** All flags of a command, the image options among them. */
export function flagsOf({ flags, takesImageOptions }: CommandTable): Flags {
  return takesImageOptions ? { ...flags, ...imageFlags } : flags;
}
