import { examplePreset } from './examples.ts';

/*
 * Examples of a comparison. The test of examples.ts sends these as well; wrong.npy is a picture that is squashed by OpenCV, with
 * its channels in the order BGR and values from 0 to 1.
 */

const wrong = 'wrong.npy';
const steps = [
  { name: 'size', yours: '224 × 224, stretched', expected: 'shorter side 224: 298 × 224' },
  { name: 'numerics', yours: 'OpenCV INTER_LINEAR', expected: 'torch' },
  { name: 'filter', yours: 'bilinear', expected: 'bicubic' },
  { name: 'crop', yours: 'none', expected: '224 × 224 from the centre' },
  { name: 'channel_order', yours: 'BGR', expected: 'RGB' },
  { name: 'mean', yours: 'none', expected: 'CLIP' },
  { name: 'std', yours: 'none', expected: 'CLIP' },
];
const difference = { differing_share: 1, mean_abs: 0.6556919487280418, max_abs: 2.164758563041687 };
const tensor = { name: 'pixel_values', datatype: 'FP32', shape: [1, 3, 224, 224] };

const report = {
  equal: false,
  ...difference,
  percentiles: {
    p50: 0.6013679578900337,
    p90: 1.2451107203960419,
    p99: 1.55276557803154,
    'p99.9': 1.9076541662216187,
  },
  cause: {
    exact: true,
    confidence: 1,
    sentence:
      "Yours is OpenCV INTER_LINEAR, resized to 224 × 224, stretched, not cropped, in the channel order BGR, without a mean and without a std; it differs from openai/clip-vit-base-patch32's own tensor in 100 % of the values, by 0.66 on average. Change 7 steps: size, numerics, filter, crop, channel order, mean and std.",
    steps,
  },
  given: tensor,
  expected: tensor,
  source: {
    format: 'jpeg',
    width: 640,
    height: 480,
    orientation: 1,
    bytes: 25314,
    sha256: 'af928e1096395a25c1e8c010dfe4b3703d9e0d42e68faf5d7f33c3008ad1f6ea',
  },
  plan: [
    'turn upright by the EXIF orientation',
    'resize the shorter side to 224 (bicubic, torch)',
    'crop 224 × 224 from the centre',
  ],
  python:
    'from PIL import Image, ImageOps\nfrom transformers import AutoImageProcessor\n\nprocessor = AutoImageProcessor.from_pretrained("openai/clip-vit-base-patch32")\nimage = ImageOps.exif_transpose(Image.open("photo.jpg"))\ntensors = processor(image, return_tensors="np")\n',
};

/** Fields of a form. A file is its name; a list is a field for each entry. */
export const skewFormExamples = {
  pair: {
    summary: 'One image and its tensor',
    value: { image: ['photo.jpg'], tensor: [wrong], preset: examplePreset },
  },
  pairs: {
    summary: 'Two images and their tensors',
    value: { image: ['photo.jpg', 'photo.jpg'], tensor: [wrong, wrong], preset: examplePreset },
  },
};

export const skewExamples = {
  pair: { summary: 'One pair', value: report },
  pairs: {
    summary: 'Several pairs',
    value: {
      overall: {
        equal: false,
        pairs: 2,
        failed: 0,
        ...difference,
        cause: {
          exact: true,
          sentence:
            'All 2 pairs that differ have the same cause: size 224 × 224, stretched instead of shorter side 224; numerics OpenCV instead of torch; filter bilinear instead of bicubic; crop none instead of 224 × 224 from the centre; channel order BGR instead of RGB; mean none instead of CLIP; std none instead of CLIP.',
          steps,
          pairs: 2,
          exact_pairs: 2,
        },
      },
      pairs: [report, report],
    },
  },
};
