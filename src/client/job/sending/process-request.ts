import type { ProcessRequest, Resize } from '../../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../../failures.ts';
import { imageOptionNames, imageOptions } from '../../../options/image-options.ts';
import { type ImageDefaults, processRequest } from '../../../options/image-request.ts';
import { ClientError } from '../../client-error.ts';

/**
 * What a job takes for an option that is left out: image-api's defaults when nobody sets its environment, so that one
 * image and a thousand come out alike. The processor itself has others: its own leave size and colours alone.
 */
export const jobDefaults = {
  scale: true,
  width: 1024,
  height: 768,
  fit: 'fill',
  filter: 'bilinear',
  grayscale: true,
  format: 'source',
  numerics: 'exact',
  quality: undefined,
} as const satisfies ImageDefaults;

/** What each image of a job is asked with. */
export interface JobRequest {
  /** Without a source. */
  readonly request: ProcessRequest;
  /** The value of the option `format` that is in force. */
  readonly format: string;
  /** In a few words, for a person. */
  readonly words: string;
}

/**
 * Options as the processor's request, by the rules of image-api for what goes together.
 *
 * @param texts - by their names in the API's query, each checked already
 * @throws ClientError OPTION_INVALID
 */
export function jobRequest(texts: Readonly<Record<string, string>>): JobRequest {
  const options = imageOptions.parse(texts);
  const isPreset = options.preset !== undefined || options.preprocessor_config !== undefined;
  const format = options.format ?? (isPreset ? 'npy' : jobDefaults.format);
  try {
    const request = processRequest({ case: undefined }, options, jobDefaults);
    return { request, format, words: wordsOf(request, format) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new ClientError('usage', error.reason, inFlags(error.message), { cause: error });
  }
}

/** The options that a message names, as the flags that they are here. */
function inFlags(message: string): string {
  const names = imageOptionNames.toSorted((a, b) => b.length - a.length).join('|');
  return message.replace(
    new RegExp(`\\b(${names})\\b(?!:)`, 'g'),
    (name) => `--${name.replaceAll('_', '-')}`,
  );
}

function sizeWords({ width, height }: Resize): string {
  if (height === 0) return `width ${width}`;
  return width === 0 ? `height ${height}` : `${width} × ${height}`;
}

function wordsOf({ resize, crop, grayscale, preset, preprocessorConfig }: ProcessRequest, format: string) {
  if (preset !== '') return `preset ${preset}, ${format}`;
  if (preprocessorConfig !== '') return `a preprocessor config, ${format}`;
  const size =
    resize === undefined
      ? 'size kept'
      : resize.shortestEdge > 0
        ? `shortest edge ${resize.shortestEdge}`
        : sizeWords(resize);
  const cut = crop === undefined ? '' : `, cropped to ${crop.width} × ${crop.height}`;
  const written = format === 'source' ? "in the source's format" : format;
  return `${size}${cut}, ${grayscale ? 'gray' : 'in colour'}, ${written}`;
}
