/**
 * The image processors of transformers that are refused, and what each needs that is missing here. A type that becomes
 * computed moves from here to processor-types.ts; test/processor/presets/transformers/coverage.test.ts holds the two
 * together with the classes of the library.
 */
const missing = {
  tiles: 'it cuts the image into tiles',
  patches: 'it cuts the image into patches',
  frames: 'it reads the frames of a video',
  pairs: 'it takes two images that belong together',
  inputs: 'it takes more than an image: boxes, points or a second picture',
  floats: 'it resizes pixels that have been rescaled to floats',
  padding: 'it pads after the pixels have been normalized, or returns a mask or sizes beside them',
  sizes: 'it resizes to a size that is not computed here',
  other: "its computation is another library's, or its own",
} as const;

/** Why a type is refused, by the name of its class. */
export const notComputed: Readonly<Record<string, (typeof missing)[keyof typeof missing]>> = {
  EfficientLoFTRImageProcessor: missing.pairs,
  FuyuImageProcessor: missing.patches,
  ImageGPTImageProcessor: missing.other,
  Inkling2ImageProcessor: missing.patches,
  InklingImageProcessor: missing.patches,
  Kosmos2_5ImageProcessor: missing.patches,
  LightGlueImageProcessor: missing.pairs,
  Molmo2ImageProcessor: missing.tiles,
  NemotronH_Omni_Reasoning_V3ImageProcessor: missing.patches,
  PPOCRV5ServerRecImageProcessor: missing.floats,
  PPOCRV6SmallRecImageProcessor: missing.other,
  Pix2StructImageProcessor: missing.patches,
  SLANeXtImageProcessor: missing.other,
  Step3p7ImageProcessor: missing.tiles,
  SuperGlueImageProcessor: missing.pairs,
  TvpImageProcessor: missing.frames,
  UVDocImageProcessor: missing.floats,
  UltraVBertImageProcessor: missing.patches,
  VideoLlavaImageProcessor: missing.frames,
  VideoMAEImageProcessor: missing.frames,
  VitMatteImageProcessor: missing.inputs,
  VitPoseImageProcessor: missing.inputs,
  VivitImageProcessor: missing.frames,
};
