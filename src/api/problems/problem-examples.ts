import type { Failure, FailureReason } from '../../failures.ts';

/** The parts of a problem that depend on the request. */
export type ProblemExample = { readonly detail: string } & Pick<Failure, 'metadata'>;

/**
 * Problems that image-api sends, for the reasons that a single request can show. `/problems/REASON` and
 * OpenAPI show them. test/end-to-end/problem-examples.test.ts sends the requests and compares the problems.
 */
export const problemExamples: { readonly [reason in FailureReason]?: ProblemExample } = {
  SOURCE_MISSING: {
    detail:
      'There is no image: send its bytes as the body or in the form field "image", or name its address in "url".',
    metadata: { allowed: 'image, url' },
  },
  SOURCE_AMBIGUOUS: {
    detail: 'The image is given 2 times (url, image); give one.',
    metadata: { actual: 'url, image', limit: '1' },
  },
  SOURCE_EMPTY: { detail: 'The image has 0 bytes; is the file empty?', metadata: { actual: '0' } },
  SOURCE_BYTES_OVER_LIMIT: {
    detail: 'The image has at least 104857600 bytes; at most 33554432 are taken.',
    metadata: { limit: '33554432', actual: '104857600' },
  },
  SOURCE_PIXELS_OVER_LIMIT: {
    detail: 'The image has 40000 × 30000 = 1200000000 pixels; the limit is 100000000. Scale it down first.',
    metadata: { limit: '100000000', actual: '1200000000', width: '40000', height: '30000' },
  },
  FORMAT_UNSUPPORTED: {
    detail: 'The bytes begin like SVG; JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP and PDF are supported.',
    metadata: { supported: 'jpeg, png, webp, avif, gif, tiff, bmp, pdf' },
  },
  IMAGE_CORRUPT: {
    detail: 'The JPEG (640 × 480) cannot be decoded: it is cut off or damaged.',
    metadata: { format: 'jpeg' },
  },
  DOCUMENT_EMPTY: { detail: 'The PDF has no pages.', metadata: { format: 'pdf' } },
  DOCUMENT_PASSWORD_REQUIRED: {
    detail:
      'The PDF is encrypted. Send its password: the form field password over HTTP, source_options.password over gRPC.',
    metadata: { format: 'pdf' },
  },
  DOCUMENT_PASSWORD_WRONG: {
    detail: 'The PDF does not open with this password.',
    metadata: { format: 'pdf' },
  },
  PAGE_OUT_OF_RANGE: {
    detail: 'Page 4 was requested; the PDF has 3 pages, counted from 1.',
    metadata: { format: 'pdf', limit: '3', actual: '4' },
  },
  OPTION_INVALID: {
    detail: 'width is "0"; allowed: a whole number from 1 to 65535.',
    metadata: { option: 'width', actual: '0', allowed: 'a whole number from 1 to 65535' },
  },
  OPTION_UNKNOWN: {
    detail:
      'There is no option "widht"; did you mean width? The options are page, dpi, page_box, annotations, scale, width, height, shortest_edge, crop_width, crop_height, fit, filter, grayscale, format, quality, numerics, background, orientation, alpha, preset, preprocessor_config, imgsz, stride, rect, datatype, pixels, layout, rescale, mean, std, channel_order, store, store_link.',
    metadata: {
      option: 'widht',
      nearest: 'width',
      allowed:
        'page, dpi, page_box, annotations, scale, width, height, shortest_edge, crop_width, crop_height, fit, filter, grayscale, format, quality, numerics, background, orientation, alpha, preset, preprocessor_config, imgsz, stride, rect, datatype, pixels, layout, rescale, mean, std, channel_order, store, store_link',
    },
  },
  OUTPUT_BYTES_OVER_LIMIT: {
    detail:
      'The response would have up to 3072004096 bytes; the limit is 268435456 (MAX_ANSWER_BYTES). Ask for fewer or smaller images, for a shorter datatype, or raise the limit.',
    metadata: { limit: '268435456', actual: '3072004096', limited_by: 'MAX_ANSWER_BYTES' },
  },
  OUTPUT_PIXELS_OVER_LIMIT: {
    detail: '10500 × 10500 = 110250000 pixels were requested; the limit is 25000000.',
    metadata: { limit: '25000000', actual: '110250000', width: '10500', height: '10500' },
  },
  PRESET_UNKNOWN: {
    detail: 'There is no preset "openai/clip-vit-base-patch23". Nearest to it: openai/clip-vit-base-patch32.',
    metadata: { preset: 'openai/clip-vit-base-patch23', nearest: 'openai/clip-vit-base-patch32' },
  },
  PRESET_INVALID: {
    detail: 'The preprocessor config is not JSON. Send the text of a preprocessor_config.json.',
    metadata: {},
  },
  PRESET_UNSUPPORTED: {
    detail:
      'The image processor "ImageGPTImageProcessor" is not computed here: its computation is another library\'s, or its own. docs/models.md lists the computed ones.',
    metadata: { type: 'ImageGPTImageProcessor', missing: "its computation is another library's, or its own" },
  },
  PAIRS_INVALID: {
    detail: 'The form has 2 images and 1 tensor; each image takes one, in the same order.',
    metadata: { actual: '2 images, 1 tensor', allowed: 'as many tensors as images' },
  },
  TENSOR_INVALID: {
    detail:
      'The tensor is no .npy, no .npz and no safetensors file. For values without a header, set shape and datatype.',
    metadata: {},
  },
  TENSOR_NOT_FINITE: {
    detail: "1 of the tensor's 150528 values is not finite in FP32; the first is NaN, at [0, 0, 1, 0].",
    metadata: { actual: 'NaN', index: '224', position: '0,0,1,0', count: '1' },
  },
  TENSOR_SHAPE_UNEXPLAINED: {
    detail:
      'A FP32 tensor with the shape 1 × 2 × 3 × 4 × 5 is no picture that any known preprocessing makes of this image. Send the tensor of one image.',
    metadata: { actual: '1,2,3,4,5' },
  },
  TENSOR_UNRELATED: {
    detail:
      "The tensor does not look like this image: with the preprocessing that comes nearest, its pixels differ from those of openai/clip-vit-base-patch32's own tensor by 69.5 of 255 levels on average; at most 48.0 are taken for the same image. Send the image that the tensor was made of.",
    metadata: { limit: '48.0', actual: '69.5' },
  },
  NUMERICS_UNSUPPORTED: {
    detail: 'numerics is torch, and this preset is computed by opencv; leave numerics out for opencv.',
    metadata: { numerics: 'torch', allowed: 'opencv' },
  },
  ASPECT_RATIO_OVER_LIMIT: {
    detail:
      "The image has 4000 × 10 pixels, so one side is 400 times the other; the limit of the model's processor is 200. Crop or pad the image.",
    metadata: { limit: '200', actual: '400', width: '4000', height: '10' },
  },
  CONTENT_TYPE_UNSUPPORTED: {
    detail:
      'The Content-Type is video/mp4; send multipart/form-data, application/json, or the image itself as image/…, application/pdf or application/octet-stream.',
    metadata: {
      actual: 'video/mp4',
      allowed: 'multipart/form-data, application/json, image/*, application/pdf, application/octet-stream',
    },
  },
  MULTIPART_INVALID: {
    detail: 'The Content-Type has no boundary; let the HTTP client write that header itself.',
    metadata: {},
  },
  JSON_INVALID: { detail: 'The body is not JSON; send {"url": "https://…"}.', metadata: {} },
  EXPECTATION_UNSUPPORTED: {
    detail: 'The expectation "200-ok" is not supported; leave out Expect, or send 100-continue.',
    metadata: { actual: '200-ok', allowed: '100-continue' },
  },
  ROUTE_UNKNOWN: {
    detail: 'There is nothing at this path; /openapi.json lists all that there are.',
    metadata: {},
  },
  METHOD_NOT_ALLOWED: {
    detail: 'This path takes GET, HEAD, POST, not PUT.',
    metadata: { actual: 'PUT', allowed: 'GET, HEAD, POST' },
  },
  UNAUTHENTICATED: {
    detail:
      'The request does not say who sends it: send an API key as "Authorization: Bearer …" or as "X-API-Key", or GET with a signed link.',
    metadata: {},
  },
  SIGNATURE_INVALID: {
    detail: 'The signature is not that of this link. Use the link as it was made, with all its parameters.',
    metadata: {},
  },
  RATE_LIMITED: {
    detail: 'This key may send 1 requests a second, 1 of them at once. Wait 1 s.',
    metadata: { limit: '1', burst: '1', retry_after_seconds: '1' },
  },
  URL_INVALID: { detail: 'The URL cannot be parsed. Give an absolute http, https or s3 URL.', metadata: {} },
  URL_SCHEME_UNSUPPORTED: {
    detail: 'The URL has the scheme ftp; only http, https and s3 are allowed.',
    metadata: { scheme: 'ftp' },
  },
  URL_ADDRESS_FORBIDDEN: {
    detail:
      "169.254.169.254 does not lead to a public address, and images are downloaded from public addresses only. Check the URL's host name, send the image's bytes instead, or have the host added to URL_ALLOWED_HOSTS.",
    metadata: { host: '169.254.169.254' },
  },
  BUCKET_FORBIDDEN: {
    detail:
      'The service reads no objects of S3. Its operator allows buckets, or prefixes in them, by SOURCE_BUCKETS, for example photos.',
    metadata: { bucket: 'photos' },
  },
  ORIGIN_STATUS: {
    detail: 'images.example responded with 404. Check that the URL leads to an image.',
    metadata: { host: 'images.example', status: '404' },
  },
  ORIGIN_BUSY: {
    detail: 'images.example responded with 503. Try again in 5 s.',
    metadata: { host: 'images.example', status: '503', retry_after_seconds: '5' },
  },
  ORIGIN_REDIRECTS_OVER_LIMIT: {
    detail: 'The URL redirects in a circle. Check the URL.',
    metadata: { limit: '3', actual: '1' },
  },
  PROCESSOR_UNAVAILABLE: {
    detail: 'The processor cannot be reached, or was lost during the call; try again in a moment.',
    metadata: {},
  },
};
