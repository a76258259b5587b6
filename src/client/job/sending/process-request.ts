import type { ProcessRequest, Resize } from '../../../../gen/image/v1/processor_pb.ts';
import { Failure } from '../../../failures.ts';
import { type ImageOptions, imageOptionNames, standardDefaults } from '../../../options/image-options.ts';
import { processRequest } from '../../../options/image-request.ts';
import { optionsInForce } from '../../../options/options-in-force.ts';
import type { Pages } from '../../../options/pages.ts';
import { ClientError } from '../../client-error.ts';

/** The options of a job as a request. */
export interface JobRequest {
  /** Without a source. Only documents take its `sourceOptions`. */
  readonly request: ProcessRequest;
  /** The pages of documents. Unset: all. */
  readonly pages: Pages | undefined;
  /** The value of the option `format`, given or by default. */
  readonly format: string;
  /** The options in a few words, for people. */
  readonly words: string;
}

/**
 * Options as the processor's request. Options that are left out take the defaults of an image-api whose environment
 * sets none, so that one image and a thousand have the same outputs. The processor's own defaults differ: they keep size
 * and colours.
 *
 * @throws ClientError OPTION_INVALID for options that do not go together
 */
export function jobRequest(options: ImageOptions): JobRequest {
  const { format: inForce = standardDefaults.format } = optionsInForce(options, standardDefaults);
  // The files get their names before the tensors are known.
  const format = inForce === 'auto' ? 'npy' : inForce;
  const { page: pages, ...others } = options;
  try {
    const request = processRequest({ case: undefined }, { ...others, format }, standardDefaults);
    return { request, pages, format, words: wordsOf(request, format) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    throw new ClientError('usage', error.reason, inFlags(error.message), { cause: error });
  }
}

/** Replaces the names of options in a message by their flags. */
export function inFlags(message: string): string {
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
