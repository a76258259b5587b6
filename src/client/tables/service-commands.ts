import type { CommandTable } from './command-table.ts';
import { apiFlags, commonFlags, jsonFlag, processorFlags, quietFlag, timeoutFlag } from './shared-flags.ts';

/** Lists the presets of image-api. */
export const presets: CommandTable = {
  usage: ['presets [flags] [TEXT…]', 'presets --show NAME'],
  summary: "the models' presets, and what one of them does",
  about: [
    'Lists the presets of image-api, those of its PRESETS_DIR included. Each TEXT occurs in the name, an alias or the family of the presets that are listed.',
  ],
  flags: {
    ...commonFlags,
    ...quietFlag,
    ...jsonFlag('print JSON'),
    show: {
      type: 'string',
      group: 'common',
      value: 'NAME',
      help: 'print what one preset does, and the Python that makes the same tensors',
      completes: 'presets',
    },
    names: { type: 'boolean', group: 'common', help: 'print only names and aliases, one a line' },
    ...apiFlags,
    ...timeoutFlag(10, 'each response'),
  },
  takesImageOptions: false,
  notes: [],
  examples: [
    ['image-client presets siglip', 'the presets with a word in their names'],
    ['image-client presets --show openai/clip-vit-base-patch32', 'what a preset does'],
    ['image-client presets --json torchvision', 'output for a program'],
  ],
  exits: ['done', 'unexpected', 'usage', 'refused', 'unavailable', 'interrupted'],
  environment: ['IMAGE_API_URL', 'IMAGE_API_KEY', 'NO_COLOR'],
  positionals: 'presets',
};

/** Finds out why the services cannot be used from here. */
export const doctor: CommandTable = {
  usage: ['doctor [flags]'],
  summary: 'what is reachable, which versions, which limits',
  about: [
    'Sends one pixel each to image-api and image-processor, and reports what is wrong and what to do next.',
  ],
  flags: {
    ...commonFlags,
    ...jsonFlag('print one JSON object'),
    ...apiFlags,
    ...processorFlags,
    ...timeoutFlag(5, 'each response'),
  },
  takesImageOptions: false,
  notes: [],
  examples: [
    ['image-client doctor', 'the services on this machine'],
    ['image-client doctor --json --processor images.example:50051', 'output for a program'],
  ],
  exits: ['done', 'somethingWrong', 'usage', 'interrupted'],
  environment: ['IMAGE_API_URL', 'IMAGE_API_KEY', 'IMAGE_PROCESSOR_URL', 'NO_COLOR'],
  positionals: [],
};

/** The shells that completion supports. */
export const shells = ['bash', 'zsh', 'fish'] as const;

export const completion: CommandTable = {
  usage: [`completion ${shells.join('|')}`],
  summary: 'a completion script for bash, zsh or fish',
  about: ['Prints a script that completes commands, flags and their values in a shell.'],
  flags: commonFlags,
  takesImageOptions: false,
  notes: [],
  examples: [
    ['source <(image-client completion bash)', 'in ~/.bashrc'],
    ['source <(image-client completion zsh)', 'in ~/.zshrc, after compinit'],
    ['image-client completion fish | source', 'in config.fish'],
  ],
  exits: ['done', 'usage'],
  environment: ['NO_COLOR'],
  positionals: shells,
};
