import type { TextDetectionRule } from '../image/size-rules/text-detection.ts';
import type { Preset } from './preset.ts';
import type { PresetPlan } from './preset-plan.ts';

/*
 * PaddleOCR's input for its models (paddlex/inference/models). It reads images with OpenCV and keeps their order of
 * channels, B, G, R, also where the means are ImageNet's for R, G, B.
 */

/** How a model limits the size of an image. */
type Limit = Pick<TextDetectionRule, 'limit' | 'limitType'>;

/** DetResizeForTest.image_padding: an image whose sides have fewer than 64 pixels together gets 32 × 32 or more. */
const padding = { atLeast: { width: 32, height: 32 }, ifSumBelow: 64 };

/** `max_side_limit` of TextDetRunnerPredictor. */
const longestSide = 4000;

/** The models whose inference.yml and predictor name this input: paddlex 3.7. */
const detectionModels = [
  'PP-OCRv3_mobile_det',
  'PP-OCRv3_server_det',
  'PP-OCRv4_mobile_det',
  'PP-OCRv4_server_det',
  'PP-OCRv5_mobile_det',
  'PP-OCRv5_server_det',
  'PP-OCRv6_tiny_det',
  'PP-OCRv6_small_det',
  'PP-OCRv6_medium_det',
];

const recognitionModels = [
  'PP-OCRv5_mobile_rec',
  'PP-OCRv5_server_rec',
  'PP-OCRv6_tiny_rec',
  'PP-OCRv6_small_rec',
  'PP-OCRv6_medium_rec',
];

/** The presets of PaddleOCR: a model of text detection by itself or in the pipeline OCR, and text recognition. */
export const paddleOcrPresets: readonly Preset[] = [
  {
    name: 'paddleocr/det',
    aliases: namesOf(detectionModels),
    family: 'paddleocr',
    libraries: ['opencv'],
    plan: () => detection({ limit: 960, limitType: 'max' }),
    python: () => detectionPython({ limit: 960, limitType: 'max' }),
  },
  {
    name: 'paddleocr/pipeline-det',
    aliases: [],
    family: 'paddleocr',
    libraries: ['opencv'],
    plan: () => detection({ limit: 64, limitType: 'min' }),
    python: () => detectionPython({ limit: 64, limitType: 'min' }),
  },
  {
    name: 'paddleocr/rec',
    aliases: namesOf(recognitionModels),
    family: 'paddleocr',
    libraries: ['opencv'],
    plan: recognition,
    python: recognitionPython,
  },
];

function namesOf(models: readonly string[]): string[] {
  return models.flatMap((model) => [model, `PaddlePaddle/${model}`]);
}

function detection(limit: Limit): PresetPlan {
  return {
    alpha: 'dropped',
    steps: [
      { kind: 'padTo', to: padding, at: 'topLeft' },
      {
        kind: 'resize',
        fit: 'rule',
        rule: { kind: 'textDetection', ...limit, longestSide },
        filter: 'bilinear',
        library: 'opencv',
      },
    ],
    tensor: {
      name: 'x',
      datatype: 'FP32',
      layout: 'NCHW',
      rescaleFactor: 1 / 255,
      mean: [0.485, 0.456, 0.406],
      std: [0.229, 0.224, 0.225],
      rounding: 'affine',
      channelOrder: 'BGR',
      extras: [{ name: 'shape', kind: 'resizeRatios', padding }],
    },
  };
}

/** Images of a batch get the width of the widest, with zeros after normalization. */
function recognition(): PresetPlan {
  const input = { width: 320, height: 48 };
  return {
    alpha: 'dropped',
    steps: [
      {
        kind: 'resize',
        fit: 'rule',
        rule: { kind: 'textLine', input, longestWidth: 3200 },
        filter: 'bilinear',
        library: 'opencv',
      },
    ],
    tensor: {
      name: 'x',
      datatype: 'FP32',
      layout: 'NCHW',
      rescaleFactor: 1 / 255,
      mean: [0.5],
      std: [0.5],
      channelOrder: 'BGR',
      arrangement: { kind: 'images', canvas: { leastWidth: input.width }, isPadded: true },
    },
  };
}

function detectionPython({ limit, limitType }: Limit): string {
  return `import cv2
import numpy
from paddlex.inference.models.text_detection.processors import DetResizeForTest, NormalizeImage

images, shape = DetResizeForTest(limit_side_len=${limit}, limit_type="${limitType}")([cv2.imread("photo.jpg")])
x = numpy.stack([image.transpose(2, 0, 1) for image in NormalizeImage(order="hwc")(images)])
`;
}

function recognitionPython(): string {
  return `import cv2
from paddlex.inference.models.text_recognition.processors import OCRReisizeNormImg, ToBatch

x = ToBatch()(OCRReisizeNormImg(rec_image_shape=[3, 48, 320])([cv2.imread("photo.jpg")]))[0]
`;
}
