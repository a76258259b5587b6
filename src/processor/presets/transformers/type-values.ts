/*
 * Values that the classes of transformers share.
 */

/** PIL.Image.Resampling. */
export const [lanczos, bilinear, bicubic] = [1, 2, 3];

export const clipValues = {
  image_mean: [0.48145466, 0.4578275, 0.40821073],
  image_std: [0.26862954, 0.26130258, 0.27577711],
};
export const imagenetValues = { image_mean: [0.485, 0.456, 0.406], image_std: [0.229, 0.224, 0.225] };
export const halfValues = { image_mean: [0.5, 0.5, 0.5], image_std: [0.5, 0.5, 0.5] };

export const allButCrop = { do_resize: true, do_rescale: true, do_normalize: true };
export const all = { ...allButCrop, do_center_crop: true };

export function square(side: number) {
  return { height: side, width: side };
}

export function shortest(side: number) {
  return { size: { shortest_edge: side }, default_to_square: false };
}
