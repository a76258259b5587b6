import { endingsInWords } from '../output-format.ts';
import type { CommandTable } from './command-table.ts';
import {
  apiFlags,
  commonFlags,
  jsonFlag,
  outputFlag,
  passwordFlag,
  quietFlag,
  timeoutFlag,
  urlFlag,
  verboseFlag,
} from './shared-flags.ts';

/** Sends one image to image-api. The client does this when its first word is not a command. */
export const send: CommandTable = {
  usage: ['[flags] INPUT OUTPUT', '[flags] --url URL OUTPUT', 'COMMAND --help'],
  summary: 'one image',
  about: [
    'Sends one image to image-api and writes the response, an image or the tensors of a model, to OUTPUT: whole or not at all, and never over INPUT itself. "-" as INPUT is standard input, as OUTPUT standard output.',
  ],
  flags: {
    ...commonFlags,
    ...verboseFlag('print size, type, cache state and stage times to standard error'),
    ...quietFlag,
    ...outputFlag('OUTPUT', 'the output, in place of the last argument', 'files'),
    ...jsonFlag('print what was written as one JSON object on standard output'),
    ...urlFlag,
    overwrite: {
      type: 'boolean',
      no: true,
      group: 'response',
      help: 'replace OUTPUT if it exists, as cp and curl do (default: replace)',
    },
    ...passwordFlag,
    ...apiFlags,
    ...timeoutFlag(60),
  },
  takesImageOptions: true,
  notes: [
    'Options of the image that you omit take the service\'s defaults. A value with a leading minus needs "=", as in --mean=-1.',
    `Without --format the ending of OUTPUT chooses the format: ${endingsInWords}.`,
  ],
  examples: [
    ['image-client photo.jpg gray.jpg', "one image, with the service's defaults"],
    ['image-client --preset openai/clip-vit-base-patch32 photo.jpg clip.npy', 'the tensor of a model'],
    ['image-client --width 224 --height 224 photo.jpg -o tensor.npy', 'a tensor, by the ending'],
    ['cat photo.jpg | image-client - - > gray.jpg', 'in a pipe'],
  ],
  exits: ['done', 'unexpected', 'usage', 'refused', 'unavailable', 'files', 'diskFull', 'interrupted'],
  environment: ['IMAGE_API_URL', 'IMAGE_API_KEY', 'IMAGE_DOCUMENT_PASSWORD', 'NO_COLOR'],
  positionals: 'files',
};

/** Describes the response to one image. */
export const describe: CommandTable = {
  usage: ['describe [flags] INPUT', 'describe [flags] --url URL'],
  summary: 'what one image would give, without decoding it',
  about: [
    'Prints as JSON what image-api would respond to one image, without decoding it: the source\'s format and size, the outputs, the decisions and the key. "-" as INPUT is standard input.',
  ],
  flags: {
    ...commonFlags,
    ...quietFlag,
    ...jsonFlag('print the JSON in one line'),
    ...urlFlag,
    ...passwordFlag,
    ...apiFlags,
    ...timeoutFlag(60),
  },
  takesImageOptions: true,
  notes: ["Options of the image that you omit take the service's defaults."],
  examples: [
    ['image-client describe --preset clip-vit-base-patch32 photo.jpg', "a model's input"],
    ['image-client describe --width 640 photo.jpg', 'the size of an image'],
  ],
  exits: ['done', 'unexpected', 'usage', 'refused', 'unavailable', 'files', 'interrupted'],
  environment: ['IMAGE_API_URL', 'IMAGE_API_KEY', 'IMAGE_DOCUMENT_PASSWORD', 'NO_COLOR'],
  positionals: 'files',
};
