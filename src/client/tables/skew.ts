import type { CommandTable } from './command-table.ts';
import {
  baseFlag,
  commonFlags,
  jsonFlag,
  queueFlags,
  quietFlag,
  serviceFlags,
  timeoutFlag,
  verboseFlag,
} from './shared-flags.ts';

/** Pairs of a check that are compared at once, by default. Each takes a core of the service for seconds. */
export const checksAtOnce = 4;

/** Compares the tensors of another program with the expected ones. */
export const skew: CommandTable = {
  usage: ['skew [flags] IMAGE TENSOR…', 'skew [flags] --check LIST'],
  summary: "what made another program's tensor differ, and a check for CI",
  about: [
    'Compares TENSOR, which another program made of IMAGE, with the tensor that the preset or the options give, and names what went wrong in one sentence. IMAGE is a path, a URL, or "-" for standard input; TENSOR is a .npy, .npz or safetensors file, raw values with --shape and --datatype, or an image: the pixels before they are rescaled and normalized. Further pairs follow.',
    'With --check it compares every line of a list and ends with 1 unless all are within the tolerance.',
  ],
  flags: {
    ...commonFlags,
    ...verboseFlag('with --check, print a line for each pair'),
    ...quietFlag,
    ...jsonFlag('print the result as one JSON object on standard output'),
    tolerance: {
      type: 'string',
      group: 'comparison',
      value: 'T',
      help: 'the largest difference that passes: max:T of a value (T without a name means this), mean:T, share:T of the values that differ (0 to 1), or several with commas between them; without it only equal tensors pass',
    },
    map: {
      type: 'string',
      group: 'comparison',
      value: 'FILE',
      help: 'write a PNG of the differences, brighter where they are larger; of one pair',
      completes: 'files',
    },
    python: {
      type: 'boolean',
      group: 'comparison',
      help: 'print the right preprocessing: the Python of the preset, else the steps',
    },
    picture: {
      type: 'boolean',
      group: 'comparison',
      help: 'TENSOR is an image, whatever its ending',
    },
    'tensor-name': {
      type: 'string',
      group: 'comparison',
      value: 'NAME',
      help: "the tensor in a file of several (default: the expected tensor's name, else the only one that can be pixels)",
    },
    shape: {
      type: 'string',
      group: 'comparison',
      value: 'LENGTHS',
      help: 'the shape of raw values, such as 1,3,224,224; --datatype is then theirs: uint8, int32, int64, fp16, bf16, fp32 or fp64',
    },
    check: {
      type: 'string',
      group: 'check',
      value: 'LIST',
      help: 'check the pairs of a .jsonl: a line has image or url, tensor or picture, and may have preset, preprocessor_config, options, tolerance, name, tensor_name, shape, datatype; "-" is standard input',
      completes: 'files',
    },
    report: {
      type: 'string',
      group: 'check',
      value: 'FILE',
      help: 'write a report: JUnit XML for .xml, JSON for .json',
      completes: 'files',
    },
    ...baseFlag('check'),
    ...queueFlags('check', checksAtOnce),
    ...serviceFlags,
    ...timeoutFlag(60, 'each comparison'),
  },
  takesImageOptions: true,
  notes: [
    "The image options describe the expected tensor; with a preset it needs no others. Those that you omit take the service's standard defaults. In a list, a line's own options come before those of the command line.",
  ],
  examples: [
    [
      'image-client skew --preset openai/clip-vit-base-patch32 photo.jpg mine.npy',
      'what is wrong with mine.npy',
    ],
    ['image-client skew --preset resnet50 --tolerance 0.01 --map map.png photo.jpg mine.npy', 'with a map'],
    ['image-client skew --check golden.jsonl --tolerance 0.01 --report junit.xml', 'golden images in CI'],
  ],
  exits: ['done', 'skewed', 'usage', 'refused', 'unavailable', 'files', 'diskFull', 'interrupted'],
  environment: ['IMAGE_API_URL', 'IMAGE_API_KEY', 'IMAGE_PROCESSOR_URL', 'NO_COLOR'],
  positionals: 'files',
};
