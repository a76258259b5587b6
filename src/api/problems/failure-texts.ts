import type { FailureReason } from '../../failures.ts';

/** The meaning of a reason and the next step of its caller: phrases with code marks. */
interface FailureText {
  readonly meaning: string;
  readonly advice: string;
}

/** The texts of docs/errors.md and of `/problems/REASON`. */
export const failureTexts: { readonly [reason in FailureReason]: FailureText } = {
  SOURCE_MISSING: {
    meaning: 'no image and no URL was sent',
    advice: 'send the file as `image`, a `url`, or the bytes as the body',
  },
  SOURCE_AMBIGUOUS: { meaning: 'two files, or a file and a URL', advice: 'send one' },
  SOURCE_EMPTY: { meaning: 'the image has no bytes', advice: 'check the file that you read' },
  SOURCE_UNKNOWN: {
    meaning: 'requested by `sha256` only, and no response is cached for that image',
    advice: 'send its bytes',
  },
  SOURCE_BYTES_OVER_LIMIT: {
    meaning: 'more than `MAX_UPLOAD_BYTES` or `MAX_SOURCE_BYTES`',
    advice: 'send it smaller, or raise the limit',
  },
  SOURCE_PIXELS_OVER_LIMIT: {
    meaning: 'width × height is over `MAX_SOURCE_PIXELS`',
    advice: 'scale it down first, or raise the limit',
  },
  SOURCE_PASSES_OVER_LIMIT: {
    meaning:
      'its scans, frames, pages or tiles make decoding take more than 4 times as long as a plain file of its size',
    advice: 'save its first image again as a plain file',
  },
  SOURCE_MEMORY_OVER_LIMIT: {
    meaning: 'decoding it would take more memory than `MAX_WORK_BYTES`; `metadata` has both',
    advice: 'scale it down, save it as not progressive, or raise the limit',
  },
  FORMAT_UNSUPPORTED: {
    meaning:
      'the bytes are not JPEG, PNG, WebP, AVIF, GIF, TIFF, BMP or PDF, or of an unsupported kind, which the message names',
    advice: 'convert it',
  },
  IMAGE_CORRUPT: { meaning: 'cut off or damaged', advice: 'send the whole file' },
  DOCUMENT_EMPTY: {
    meaning: 'the PDF opens, but it has no pages',
    advice: 'send another file; the program that wrote it may have failed',
  },
  DOCUMENT_PASSWORD_REQUIRED: {
    meaning: 'the PDF is encrypted, and no password was sent',
    advice: 'send its password',
  },
  DOCUMENT_PASSWORD_WRONG: {
    meaning: 'the PDF is encrypted, and the password does not open it',
    advice: 'send the right one; the case of its letters counts',
  },
  PAGE_OUT_OF_RANGE: {
    meaning: 'the PDF has fewer pages than the requested page number; `metadata` has both',
    advice: 'ask for a page of the document; pages are counted from 1',
  },
  OPTION_INVALID: {
    meaning: 'an option has a value that is not allowed',
    advice: '`metadata.allowed` says what is taken',
  },
  OPTION_UNKNOWN: {
    meaning: 'there is no such option',
    advice: '`metadata.nearest` may be the one you meant',
  },
  OUTPUT_BYTES_OVER_LIMIT: {
    meaning: 'the contents of the response together would be over `MAX_ANSWER_BYTES`; `metadata` has both',
    advice: 'fewer images at once, a smaller size or a shorter datatype',
  },
  OUTPUT_PIXELS_OVER_LIMIT: {
    meaning: 'the output would be over `MAX_OUTPUT_PIXELS`',
    advice: 'ask for a smaller size',
  },
  PRESET_UNKNOWN: {
    meaning: 'there is no preset of this name',
    advice: '`metadata.nearest` may be the one you meant',
  },
  PRESET_INVALID: {
    meaning: 'the preprocessor config is no JSON, or has a value that its type does not take',
    advice: "send the model's own `preprocessor_config.json`",
  },
  PRESET_UNSUPPORTED: {
    meaning: 'the config asks for something that is not supported, by name',
    advice: 'preprocess on your side; nothing is approximated',
  },
  ASPECT_RATIO_OVER_LIMIT: {
    meaning: "one side is more times the other than the model's own processor takes; `metadata` has both",
    advice: 'crop or pad the image',
  },
  PADDED_SIZE_EXCEEDED: {
    meaning:
      'the image is larger, after its resize, than the size that the preset pads it to; `metadata` has both',
    advice: 'send an image of other proportions, or a config with a larger `pad_size`',
  },
  IMAGE_TOO_SMALL: {
    meaning: "a side is shorter than the model's own processor takes; `metadata` has both",
    advice: 'send a larger image',
  },
  IMAGE_SIZE_INDIVISIBLE: {
    meaning:
      "the config does not resize, and a side is not a multiple of the model's patches; `metadata` has both",
    advice: 'send an image of such a size, or a config with `do_resize`',
  },
  PAIRS_INVALID: {
    meaning:
      'a comparison has more than 16 pairs, unequal numbers of images and tensors, or both tensors and pictures',
    advice: 'send one tensor for each image, in the same order',
  },
  TENSOR_INVALID: {
    meaning: 'the tensor to compare is missing, cut off, or no `.npy`, `.npz` or safetensors file',
    advice:
      'send the file as `numpy.save` or `safetensors` wrote it, or the values with `shape` and `datatype`',
  },
  TENSOR_NOT_FINITE: {
    meaning: 'the tensor to compare has NaN or infinite values',
    advice: 'check the normalization: a std of 0 divides by zero',
  },
  TENSOR_SHAPE_UNEXPLAINED: {
    meaning: 'no preprocessing that is known makes a tensor of this shape',
    advice: 'send the tensor of one image, before the model adds or merges axes',
  },
  TENSOR_UNRELATED: {
    meaning: 'the tensor looks like that of another image',
    advice: 'check that image and tensor belong together',
  },
  NUMERICS_UNSUPPORTED: {
    meaning:
      'the preset is not computed with these numerics, or they lack its filter; `metadata.allowed` has those that can be used',
    advice: 'leave `numerics` out, or name one of these',
  },
  BATCH_SHAPES_UNEQUAL: {
    meaning: 'two images of a batch have different shapes; `metadata` has both',
    advice: 'give them one size',
  },
  CONTENT_TYPE_UNSUPPORTED: {
    meaning: "the body's type",
    advice: 'multipart/form-data, application/json, image/* or application/octet-stream',
  },
  MULTIPART_INVALID: {
    meaning: 'the multipart body is broken or cut off',
    advice: 'let the HTTP library set the boundary',
  },
  JSON_INVALID: { meaning: 'the JSON body', advice: 'send `{"url": "…"}`' },
  MESSAGE_INVALID: {
    meaning:
      'a Protobuf or JSON message that cannot be read, or holds more than 16,384 values, 32 levels or 2 MiB beside its long strings',
    advice: 'send what your Protobuf library writes',
  },
  COMPRESSION_UNSUPPORTED: {
    meaning: 'a compressed message at the Connect, gRPC-Web or gRPC interface',
    advice: 'send it uncompressed (`identity`); images are compressed already',
  },
  REQUEST_INVALID: {
    meaning: 'not HTTP, or a header that its protocol does not allow; `metadata.header` names it',
    advice: 'let the HTTP or RPC library write the headers',
  },
  REQUEST_TIMEOUT: {
    meaning: 'the headers or the body did not arrive in time',
    advice: 'send it again, faster',
  },
  CHUNK_EXTENSIONS_TOO_LARGE: {
    meaning: 'a chunked body with more than 16 KiB of chunk extensions',
    advice: 'leave them out',
  },
  EXPECTATION_UNSUPPORTED: { meaning: 'an `Expect` that is not `100-continue`', advice: 'leave it out' },
  HEADERS_TOO_LARGE: {
    meaning: 'request line and headers have more than 16 KiB together',
    advice: 'send options and URLs in the body',
  },
  ROUTE_UNKNOWN: { meaning: 'nothing is at this path', advice: 'see `/openapi.json`' },
  METHOD_NOT_ALLOWED: { meaning: 'the path does not support this method', advice: 'see `Allow`' },
  UNAUTHENTICATED: {
    meaning: 'no API key was sent, or one that is not known; only where keys are asked for',
    advice: 'send `Authorization: Bearer …` or `X-API-Key`',
  },
  SIGNATURE_INVALID: {
    meaning: 'the link was changed after it was signed, or signed with another secret',
    advice: 'use the link as it was made',
  },
  LINK_EXPIRED: {
    meaning: 'the signed link was good until `metadata.expires`',
    advice: 'ask for a new link',
  },
  RATE_LIMITED: {
    meaning: 'the API key sent more requests than it may',
    advice: 'wait as `Retry-After` says; spread the requests',
  },
  URL_INVALID: {
    meaning: 'not a URL, or one with a user name',
    advice: 'send an absolute http, https or s3 URL',
  },
  URL_SCHEME_UNSUPPORTED: { meaning: '`file:`, `ftp:`, `data:` and others', advice: 'http, https or s3' },
  URL_ADDRESS_FORBIDDEN: {
    meaning: 'the host, or where it redirects to, is not public, or does not exist',
    advice: '`URL_ALLOWED_HOSTS` opens named hosts',
  },
  BUCKET_FORBIDDEN: {
    meaning: 'the object is in no bucket or prefix of `SOURCE_BUCKETS`, which is empty by default',
    advice: 'have the bucket added to `SOURCE_BUCKETS`, or send a signed link',
  },
  STORAGE_FAILED: {
    meaning:
      'object storage refuses the service, or does not keep a response with `store=wait`; `metadata.problem` names why',
    advice: 'as [storage.md](storage.md#problems) has it',
  },
  SOURCE_OPTED_OUT: {
    meaning:
      'the request honours opt-outs, and the origin sends `X-Robots-Tag: noai` or `noimageai`, or `TDM-Reservation: 1`; `metadata.directive` has it',
    advice: 'leave the image out',
  },
  ORIGIN_UNRESOLVED: {
    meaning: 'name servers do not respond, or a host of `URL_ALLOWED_HOSTS` has no address',
    advice: 'check the name',
  },
  ORIGIN_UNREACHABLE: {
    meaning: 'refused, reset, bad TLS, or less sent than declared',
    advice: 'check the server',
  },
  ORIGIN_STATUS: {
    meaning:
      'the server responded with 401, 403, 404, 410 or another status that stays; `metadata.status` has it',
    advice: 'check the URL',
  },
  ORIGIN_BUSY: {
    meaning: 'the server responded with 408, 425, 429 or 5xx; `metadata.status` has it',
    advice: 'wait as `Retry-After` says: as long as the server asks for, at most 60 s',
  },
  ORIGIN_REDIRECTS_OVER_LIMIT: {
    meaning: 'more than `ORIGIN_MAX_REDIRECTS` redirects, or a circle',
    advice: 'use the last address',
  },
  ORIGIN_TIMEOUT: {
    meaning: 'the server is too slow; `metadata.phase` says in what',
    advice: 'try again, or raise `DOWNLOAD_TIMEOUT_MS`',
  },
  OVERLOADED: {
    meaning:
      "workers and queue are full, `MAX_HELD_BYTES` or this caller's part of it are held, or no download may start (`metadata.bound`)",
    advice: 'wait as `Retry-After` says; add replicas',
  },
  STREAMS_OVER_LIMIT: {
    meaning: 'as many streams as may be have no image in work, of this caller or in total',
    advice: 'send more images over one stream; close unused streams',
  },
  STREAM_IDLE: {
    meaning: 'the stream had no image in work for `STREAM_IDLE_TIMEOUT_MS`, or gave way to another one',
    advice: 'open another stream when there is an image to send',
  },
  PROCESSOR_UNAVAILABLE: {
    meaning: 'no processor can be reached, or it went away',
    advice: 'wait as `Retry-After` says',
  },
  DRAINING: {
    meaning: 'this replica is about to end; only `/readyz` says so',
    advice: 'nothing: another replica responds',
  },
  DEADLINE_EXCEEDED: {
    meaning: "not done in `REQUEST_TIMEOUT_MS`, or in the caller's deadline",
    advice: 'a smaller image, or more time',
  },
  CANCELLED: { meaning: 'the caller left; only the log shows this', advice: '' },
  WORKER_CRASHED: {
    meaning: 'the process that worked on the image crashed',
    advice: 'convert the image if it happens again, and report it',
  },
  INTERNAL: { meaning: 'a bug; the log contains the cause', advice: 'report it, with the request id' },
};

/** The members of `metadata` that more than one failure has, or that a program may want. */
export const metadataMembers: Readonly<Record<string, string>> = {
  option: 'The option that is refused, in the words of the interface',
  actual: 'The value that was sent or measured',
  allowed: 'The values that are allowed instead',
  limit: 'The largest allowed value',
  limited_by: 'The environment variable that sets the limit',
  nearest: 'The names that may have been meant',
  width: 'Width of the image in pixels',
  height: 'Height of the image in pixels',
  format: 'The format, detected from the bytes',
  supported: 'The supported formats',
  preset: 'The name that was sent',
  numerics: 'The numerics that were asked for',
  type: 'The class of the image processor',
  missing: 'The part of it that is not supported',
  host: 'The host of the URL',
  scheme: 'The scheme of the URL',
  status: "The status of the origin's response",
  bucket: 'The bucket of S3 that the failure is about',
  burst: 'Requests that may be sent at once',
  retry_after_seconds: 'Seconds to wait before the next attempt',
  index: 'The index, from 0, of the variant that failed, or of the first value that is not finite',
  position: 'Its index on each axis',
  count: 'The number of values that are not finite',
};
