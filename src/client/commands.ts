import type { exitCodes } from './client-error.ts';
import { type Flags, imageFlags } from './flags.ts';

/** One thing that the client does: the table that parsing, `--help` and completion are made from. */
export interface CommandTable {
  /** The lines after "Usage: image-client". */
  readonly usage: readonly string[];
  /** In a few words, for the list of commands. */
  readonly summary: string;
  /** What it does. */
  readonly about: string;
  readonly flags: Flags;
  /** Whether the image options are flags of it too. */
  readonly takesImageOptions: boolean;
  /** Shell lines, each with what it does. */
  readonly examples: readonly (readonly [line: string, does: string])[];
  readonly exits: readonly (keyof typeof exitCodes)[];
  /** What the words of it that are no flags are. */
  readonly positionals: 'files' | readonly string[];
}

const help: Flags = { help: { type: 'boolean', help: 'print this' } };

const apiFlags: Flags = {
  api: {
    type: 'string',
    value: 'URL',
    help: 'where image-api is (or IMAGE_API_URL; default http://localhost:8080)',
  },
  'api-key': {
    type: 'string',
    value: 'KEY',
    help: 'sent as Authorization: Bearer (better IMAGE_API_KEY, which no list of processes shows)',
  },
};

const processorFlags: Flags = {
  processor: {
    type: 'string',
    value: 'URL',
    help: 'where image-processor is (or IMAGE_PROCESSOR_URL; default http://localhost:50051)',
  },
};

/** One image by image-api: what the client does when its first word is no command. */
const send: CommandTable = {
  usage: ['[flags] INPUT OUTPUT', '[flags] --url URL OUTPUT', 'COMMAND --help'],
  summary: 'sends one image',
  about: `Sends one image to image-api and writes the response to OUTPUT, whole or not at all; never over INPUT itself.
"-" as INPUT is standard input, as OUTPUT standard output ("npm run -s client" keeps npm's own lines out).`,
  flags: {
    url: { type: 'string', value: 'URL', help: 'an image that the service downloads, in place of INPUT' },
    ...apiFlags,
    timeout: { type: 'string', value: 'SECONDS', help: 'longest wait for the answer (default 60)' },
    verbose: { type: 'boolean', help: 'print size, type, cache state and stage times to standard error' },
    ...help,
    version: { type: 'boolean', help: 'print the version' },
  },
  takesImageOptions: true,
  examples: [
    ['image-client photo.jpg gray.jpg', 'one image, as the service is set'],
    ['image-client --width 224 --height 224 photo.jpg tensor.npy', 'a tensor, because of the ending'],
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
.csv, .tsv or .jsonl; "-" is a list on standard input. Run it again and it goes on where it ended: done images are
not sent again. A job replaces only its own outputs, and never one of its sources, by whatever name.`,
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
      help: 'how often an image is sent when its processor is lost or full (default 5)',
    },
    patience: {
      type: 'string',
      value: 'SECONDS',
      help: 'longest wait for a processor that is away or silent (default 60)',
    },
    'per-host': { type: 'string', value: 'N', help: 'URLs of one host in flight at once (default 8)' },
    'host-patience': {
      type: 'string',
      value: 'SECONDS',
      help: 'longest wait for a host that asks to come again and gives no image (default 300)',
    },
    force: { type: 'boolean', help: "make again what is done already; replaces only this job's own outputs" },
    overwrite: {
      type: 'boolean',
      help: "replace files in the output folder that are not this job's; never a source of the job",
    },
    strict: { type: 'boolean', help: 'end with 1 if a file of a folder or glob was skipped' },
    'dry-run': { type: 'boolean', help: 'print what would be done, refused and skipped, and do nothing' },
    quiet: { type: 'boolean', help: 'print only errors' },
    ...help,
  },
  takesImageOptions: true,
  examples: [
    ['image-client job --preset clip-vit-base-patch32 photos tensors', 'a folder becomes tensors'],
    ["image-client job --width 640 --height 480 'photos/**/*.png' small", 'what a glob matches'],
    ['image-client job --column image --name-column id list.csv out', 'URLs of a table, named by its ids'],
    ['find photos -newer mark | image-client job - out', 'paths that another program finds'],
  ],
  exits: ['done', 'someFailed', 'usage', 'unavailable', 'files', 'diskFull', 'mixed', 'interrupted'],
  positionals: 'files',
};

/** What is wrong between here and the services. */
const doctor: CommandTable = {
  usage: ['doctor [flags]'],
  summary: 'says what is reachable, which versions, which limits',
  about: `Asks image-api and image-processor, with one pixel each, and says what is wrong and what to do next.`,
  flags: {
    ...apiFlags,
    ...processorFlags,
    timeout: { type: 'string', value: 'SECONDS', help: 'longest wait for each answer (default 5)' },
    json: { type: 'boolean', help: 'print one JSON object' },
    ...help,
  },
  takesImageOptions: false,
  examples: [
    ['image-client doctor', 'the services on this machine'],
    ['image-client doctor --json --processor images.example:50051', 'for a program'],
  ],
  exits: ['done', 'somethingWrong', 'usage', 'interrupted'],
  positionals: [],
};

/** The shells that completion knows. */
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

/** The commands by their words. */
export const commands = { job, doctor, completion } as const;

export type CommandName = keyof typeof commands;

/** Whether a command line's first word chooses a command; a file of that name is `./job`. */
export function isCommand(word: string | undefined): word is CommandName {
  return word !== undefined && Object.hasOwn(commands, word);
}

/** The table of a command, or of the way without one. */
export function tableOf(name: CommandName | 'send'): CommandTable {
  return name === 'send' ? send : commands[name];
}

/** All flags of a command, the image options among them. */
export function flagsOf({ flags, takesImageOptions }: CommandTable): Flags {
  return takesImageOptions ? { ...flags, ...imageFlags } : flags;
}
