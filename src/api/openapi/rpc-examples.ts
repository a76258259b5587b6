import { examplePreset, presetExample, presetListExample } from './examples.ts';
import type { JsonObject } from './json-object.ts';

/* Examples of the RPCs in Connect's JSON. The test of examples.ts sends these as well. */

interface RpcExample {
  readonly request: JsonObject;
  readonly response: JsonObject;
}

/** A PNG of 2 × 2 pixels. */
const content =
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAFklEQVR4nGP4z8DA8J+BkYHh////DAAe9gT9Ce00PgAAAABJRU5ErkJggg==';

/** Its pixels: R, G and B of each. */
const pixels = '/wAAAP8AAAD/////';

/** That PNG, as responses describe it. */
const source = {
  format: 'IMAGE_FORMAT_PNG',
  width: 2,
  height: 2,
  sha256: '36f1626eebe1985b0ac4bb691f40ebe586a47c5a1c442d2cfe12e8e4c8bfa3b3',
  bytes: '79',
  orientation: 1,
};

const resized = { resize: { width: 4, height: 4 }, image: { format: 'IMAGE_FORMAT_PNG' } };
const oneValue = { content, resize: { width: 1, height: 1 }, tensor: {} };

const processed = {
  content:
    'iVBORw0KGgoAAAANSUhEUgAAAAQAAAAECAIAAAAmkwkpAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAKklEQVQIWxXGQREAIADDsEqrFJwhpdLGkVcYJAZ/ePWkE+nYrRYwXW3bA/5TF+mDlrBRAAAAAElFTkSuQmCC',
  contentType: 'image/png',
  width: 4,
  height: 4,
  source,
  cache: 'CACHE_STATE_MISS',
  stages: [
    {
      name: 'hash',
      durationMs: 0.05,
    },
  ],
  provenance: {
    numericsVersion: '3+pillow-13.0',
    libraries: {
      sharp: '0.35.5',
      vips: '8.18.7',
    },
  },
  key: '796868e70bae9a2aee7024760f0ed83c7ae727d2bb8d602d462b95ee9f4d3403',
};

const described = {
  source,
  outputs: [
    {
      tensor: {
        name: 'pixel_values',
        datatype: 'FP32',
        shape: ['1', '3', '224', '224'],
        bytes: '602112',
      },
    },
  ],
  key: 'a7e3b4b5d72ec25723aab6f5479a958e8ae8ea0c2c294045a57604ff8744ed9a',
};

const compared = {
  differingShare: 0.5,
  meanAbs: 127,
  maxAbs: 254,
  percentiles: [{ percent: 50 }, { percent: 90, value: 254 }],
  cause: {
    exact: true,
    confidence: 1,
    sentence:
      'Yours is scaled by 1, in UINT8 and in the layout HWC; it differs from the expected tensor in 50 % of the values, by 130 on average. Change 3 steps: scale, datatype and layout.',
    steps: [
      { name: 'scale', yours: '1', expected: '1/255' },
      { name: 'datatype', yours: 'UINT8', expected: 'FP32' },
      { name: 'layout', yours: 'HWC', expected: 'NCHW' },
    ],
  },
  plan: ['turn upright by the EXIF orientation', 'keep alpha'],
  given: { name: 'image', datatype: 'UINT8', shape: ['2', '2', '3'], bytes: '12' },
  expected: { name: 'image', datatype: 'FP32', shape: ['1', '3', '2', '2'], bytes: '48' },
  source,
  stages: [{ name: 'search', durationMs: 4.2 }],
};

const numerics = ['NUMERICS_TORCH', 'NUMERICS_PILLOW', 'NUMERICS_FAST'];
const { steps, python, ...preset } = presetExample;

/** By the method's name. ProcessStream has none: it is a stream of messages in both directions. */
export const rpcExamples: Readonly<Record<string, RpcExample>> = {
  Process: { request: { content, ...resized }, response: processed },
  ProcessVariants: { request: { content, variants: [resized] }, response: { variants: [processed] } },
  ProcessBatch: {
    request: { requests: [oneValue, oneValue] },
    response: {
      ...{
        content: 'gYAAP4GAAD+BgAA/gYAAP4GAAD+BgAA/',
        contentType: 'application/octet-stream',
        tensors: [
          {
            name: 'image',
            datatype: 'FP32',
            shape: ['2', '3', '1', '1'],
            bytes: '24',
          },
        ],
      },
      images: [
        {
          source,
          cache: 'CACHE_STATE_MISS',
        },
      ],
    },
  },
  Describe: { request: { content, preset: examplePreset, tensor: {} }, response: described },
  DescribeVariants: {
    request: { content, variants: [{ preset: examplePreset, tensor: {} }] },
    response: { variants: [described] },
  },
  Skew: {
    request: {
      request: { content, tensor: {} },
      tensor: { content: pixels, shape: ['2', '2', '3'], datatype: 'UINT8' },
    },
    response: compared,
  },
  ListPresets: {
    request: { q: 'openai patch32 transformers' },
    response: { presets: presetListExample.presets.map((one) => ({ ...one, numerics })) },
  },
  GetPreset: {
    request: { name: examplePreset },
    response: { preset: { ...preset, numerics }, steps, python },
  },
};
